"""A look at a running gateway in a terminal: `llm-gateway top`.

reading.py asks the housekeeper, view.py makes figures of two readings, screen.py writes them down.
"""
