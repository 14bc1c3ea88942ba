"""The one process beside the workers that does what would hold up their streams, or must happen once an instance.

It merges and serves metrics, watches the configuration and publishes it, and answers on the private socket. A worker's
tick starts it (app/instance/housekeeping.py) and hands it the lock that makes it the only one.
"""
