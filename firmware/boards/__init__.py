"""Pins and constants, one file a board revision, as plain assignments that a host can read too."""
