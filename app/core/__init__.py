"""The words everyone uses. Imports nothing of ours; orjson, behind json.py, is the only third party."""
