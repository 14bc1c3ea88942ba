"""The languages that clients speak: what makes a body sound, how answers and errors are put, how one becomes chat."""
