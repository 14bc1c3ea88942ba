"""What was used and what it cost, summed from log files: lines of calls in, sums out.

lines.py finds the calls, sums.py adds them up, tables.py writes the sums down. The lines are those of app/logs.py.
"""
