"""Runs before main.py, after every reset: nothing can move and nothing can be written."""

import sys

if sys.platform == "rp2":
    from hal.rp2040 import startup

    startup.secure()
