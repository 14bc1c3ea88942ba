"""What is counted and how it is exposed. The only door to prometheus_client.

registry.py has the names, meter.py counts calls, slots.py says whose files a worker counts in, merge.py makes one of
the files of all workers, exposition.py makes pages of that. Workers count; only the housekeeper merges.
"""
