"""What the light shows, from what the gun is doing."""

from gun import wire

_BY_STATE = (
    wire.LIGHT_OFF,
    wire.LIGHT_LOADED,
    wire.LIGHT_READY,
    wire.LIGHT_ARMED,
    wire.LIGHT_RUNNING,
    wire.LIGHT_PAUSED,
    wire.LIGHT_DONE,
    wire.LIGHT_ALARM,
)


def light_for(state, alerted, prime, sequencer):
    """Return the light of a gun in `state`; `alerted`: it is to be told that it waits armed."""
    if prime.pending and not prime.moving:
        return wire.LIGHT_PRESS
    if state == wire.STATE_RUNNING:
        if sequencer.wants == wire.TRIGGER_HOLD:
            return wire.LIGHT_HOLD
        if sequencer.waits_for_press():
            return wire.LIGHT_PRESS
    if state == wire.STATE_ARMED and alerted:
        return wire.LIGHT_ALERT
    return _BY_STATE[state]
