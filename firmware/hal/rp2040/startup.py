"""What comes before the firmware: a still motor, the right MicroPython, the way to the prompt."""

import sys
import time

import machine
import micropython
import rp2
import vfs
from micropython import const

from boards import reference as board

# Before 1.28 a soft reset with an active DMA crashes; before 1.27 `DMA.close` stops no channel.
_OLDEST = (1, 28)
_CTRL_C = const(3)
_HOLD_MS = const(3000)  # no press of somebody who goes on injecting when the light is back


def secure():
    """Driver off, file system read-only.

    A soft reset leaves the pins as they were, so the enable line is taken away from PIO here.
    The journal lies behind the last used block of a file system that believes to own it: nothing
    may ever be allocated there.
    """
    machine.Pin(board.ENABLE_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
    vfs.umount("/")
    vfs.mount(rp2.Flash(), "/", readonly=True)


def check_version():
    """Raise RuntimeError on a MicroPython that is too old."""
    version = sys.implementation.version
    if version[:2] < _OLDEST:
        raise RuntimeError(
            f"mesogun needs MicroPython {_OLDEST[0]}.{_OLDEST[1]} or newer, this board runs "
            f"{version[0]}.{version[1]}: put a newer image on it"
        )


def maintenance():
    """Is the trigger held from power-on for 3 s? Then the prompt stays open, and nothing runs.

    Only at power-on: a watchdog's reset under a finger must come back as a gun.
    """
    if machine.reset_cause() != machine.PWRON_RESET:
        return False
    trigger = machine.Pin(board.TRIGGER_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
    begin_ms = time.ticks_ms()
    while not trigger.value():
        if time.ticks_diff(time.ticks_ms(), begin_ms) >= _HOLD_MS:
            micropython.kbd_intr(_CTRL_C)
            return True
        machine.idle()
    return False
