"""Accuracy at the needle, measured as the standards do, on the virtual gun."""
