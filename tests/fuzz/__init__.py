"""Anything at all, at every door: the gateway in this process, and what it must never do.

    python -m tests.fuzz --cases 100000     what hypothesis thinks of
    make fuzz ARGS="--seconds 3600"         what coverage leads to, by atheris

A short part of the first is a test.
"""
