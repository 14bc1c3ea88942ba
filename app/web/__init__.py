"""The front door. The only room, with factory.py, that imports Flask."""
