"""Counters against what clients saw: calls of every kind while workers are killed, restarted and renewed.

`python -m tests.metrics.truth [CALLS]` runs all of it and prints figures; a short run is part of the tests.
"""
