"""Measures the gateway against a bare proxy of the same parts: `make bench`, or `python -m bench --help`."""
