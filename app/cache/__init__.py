"""Answers that are kept and given again, and one call in place of many that ask for the same at the same time."""
