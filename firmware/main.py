"""Composition root: the machine it runs on, and the logic that runs on it."""

import sys

from gun.app import App

if sys.platform == "rp2":
    from hal.rp2040.machine import Machine
else:
    from hal.virtual.machine import Machine

App(Machine()).run()
