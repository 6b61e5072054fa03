"""What must be right before the driver is switched on (R20). Moves nothing.

Each test has a number, which a refused ARM or a SELF_TEST fault names. Inputs that a person can put
right at once (interlock, syringe, trigger) have refusals of their own.
"""

from micropython import const

from gun import wire

# A day before the clock leaves the small integers, behind which the logic's "never" would be past.
# Whoever lets a gun run for eleven days must switch it off and on again.
_CLOCK_LAST_MS = const(0x3FFFFFFF - 86400000)


def run(machine, config, journal, last_clock_ms):
    """Return 0, or the number of the first test that fails (wire.SELF_TEST_*)."""
    if not config.sound:
        return wire.SELF_TEST_CONFIGURATION
    if not last_clock_ms <= machine.clock_ms < _CLOCK_LAST_MS:
        return wire.SELF_TEST_CLOCK
    machine.pulse.read()
    if machine.pulse.blocks:
        return wire.SELF_TEST_PULSE_ENGINE
    if not journal.sound:
        return wire.SELF_TEST_JOURNAL
    if not machine.inputs & wire.INPUT_SUPPLY_OK:
        return wire.SELF_TEST_SUPPLY
    return machine.pulse.check_driver()
