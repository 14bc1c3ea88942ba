"""An hour of everything at once: 5 % of all calls meet a fault, and nothing grows, slows down or goes uncounted.

    python -m tests.soak hour [--seconds 3600] [--rate 100] [--warm 600] [--out FILE]

A real gunicorn with metrics, log, limits and cache over a real memcached, two providers and a fallback on the stand-in.

calls.py      healthy calls, what clients do wrong, and what each must come to
cells.py      what providers do wrong: rows of tests/faults.yaml
provider.py   the stand-in in a process of its own, with the ports where no HTTP is reached
trouble.py    memcached that is silent or gone for a moment, configurations that change
watch.py      what the processes take
book.py       what has been seen, and a line a minute
drive.py      all of it at a rate
verdict.py    what is to be thought of the figures
"""
