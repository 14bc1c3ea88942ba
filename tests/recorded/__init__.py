"""Recorded traffic, replayed: what the gateway makes of everything that real providers were seen to answer.

`python -m tests.recorded` prints how many exchanges of each provider and operation passed, and which were left out.
"""
