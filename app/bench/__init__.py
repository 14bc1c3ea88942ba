"""Load for a running gateway, as its clients would make it: `llm-gateway bench`.

caller.py makes one call and looks at the clock, load.py makes many, figures.py sums them up, told.py writes them down.
"""
