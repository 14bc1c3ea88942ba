"""The languages that providers speak (dialects), and the providers themselves, which are rows of data."""
