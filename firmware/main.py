"""Composition root: the machine it runs on, the logic, and the loop that sleeps until something is due."""

import sys

from gun.app import App

if sys.platform == "rp2":
    from hal.rp2040.machine import Machine
else:
    from hal.virtual.machine import Machine

App(Machine()).run()
