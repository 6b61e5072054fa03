"""Composition root: the machine it runs on, the logic, and what happens when the loop ends."""

import sys


def _run(machine):
    from gun.app import App

    try:
        App(machine).run()
    finally:
        # Whatever ends the loop: driver off at once, then the watchdog makes a fresh start.
        machine.pulse.disable()


if sys.platform == "rp2":
    import micropython

    # Before anything else: from here on no byte 0x03, not even of a host that is quick to find the
    # port, interrupts the firmware. No boot.py can do it: MicroPython undoes it for each file.
    micropython.kbd_intr(-1)

    from hal.rp2040 import startup

    startup.check_version()
    if not startup.maintenance():
        from hal.rp2040.machine import Machine

        _run(Machine())
else:
    from hal.virtual.machine import Machine

    _run(Machine())
