"""What is counted and how it is exposed. The only door to prometheus_client.

registry.py has the names, meter.py counts calls, slots.py says whose files a worker counts in, exposition.py merges the
files of all workers into pages. Workers count; only the housekeeper merges.
"""
