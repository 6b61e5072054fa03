"""Measures what the documents say about the gun, on virtual guns drawn within their tolerances."""
