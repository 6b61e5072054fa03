"""A prime outside of a program: asked for by the host, begun by a press of the trigger (R29)."""

from gun import wire
from gun.dose import budget_steps
from gun.link import Refusal


class Prime:
    """The prime that was asked for, if any.

    `pending` from the request to the end, `moving` from the press on.
    """

    def __init__(self, machine, inputs, sequencer, syringe, config):
        self._machine = machine
        self._inputs = inputs
        self._sequencer = sequencer
        self._syringe = syringe
        self._config = config
        self.pending = False
        self.moving = False
        self.until_ms = 0  # the press must come by then
        self._dose_nl = 0
        self._inject_us = 0
        self._presses = 0

    def ask(self, dose_nl, inject_us, limit_nl):
        """Wait for the press; raise `Refusal` for a dose that is too large or too fast."""
        remaining_nl = self._syringe.remaining_nl()
        if dose_nl > remaining_nl:
            raise Refusal(wire.ERROR_OVER_REMAINING, 0, dose_nl, 0, remaining_nl)
        if dose_nl > limit_nl:
            code = wire.ERROR_OVER_LIMIT if limit_nl else wire.ERROR_NO_LIMITS
            raise Refusal(code, 0, dose_nl, 0, limit_nl)
        config = self._config
        most_hz = min(
            config.get(wire.CONFIG_MAX_STEP_RATE_HZ), config.get(wire.CONFIG_MAX_STEP_RATE_START_HZ)
        )
        rate_hz = self._syringe.most_steps(dose_nl) * 1000000 // inject_us
        if rate_hz > most_hz:
            raise Refusal(wire.ERROR_TOO_FAST, 1, rate_hz, 0, most_hz)
        self._dose_nl = dose_nl
        self._inject_us = inject_us
        self.until_ms = self._machine.clock_ms + wire.PRIME_CONFIRM_MS
        self._presses = self._inputs.presses
        self.pending = True

    @property
    def pressed(self):
        return self._inputs.presses != self._presses

    def begin(self):
        """Driver on, and go."""
        sequencer = self._sequencer
        steps = self._syringe.most_steps(self._dose_nl) + sequencer.retracted_steps
        self._machine.pulse.enable(budget_steps(steps))
        self.moving = True
        sequencer.begin_prime(self._dose_nl, self._inject_us)

    def end(self, reason):
        """End it wherever it is: what moves gets its result with `reason`, the driver is off."""
        if self.moving:
            self._sequencer.halt(reason)
            self._machine.pulse.disable()
        self.forget()

    def forget(self):
        self.pending = self.moving = False
