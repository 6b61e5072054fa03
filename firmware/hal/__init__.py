"""Hardware layers: one package a machine, each with the same ports (`gun/ports.py`)."""
