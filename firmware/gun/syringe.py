"""What is in the syringe: how much there was, how much is left, when to say that it is little."""

from gun import wire


class Syringe:
    """The syringe that the host has declared; what has left it is told by the witness.

    `volume_nl` is what it held when it was declared, 0 without one.
    """

    def __init__(self, pulse, doser, config):
        self._pulse = pulse
        self._doser = doser
        self._config = config
        self.volume_nl = 0
        self._base_steps = 0
        self._low_steps = None

    @property
    def pl_per_step(self):
        return self._doser.pl_per_step

    @property
    def area_mm2_x100(self):
        """Area of the plunger, hundredths of a square millimetre."""
        turn = self._config.get(wire.CONFIG_STEPS_PER_TURN)
        # pl a step, steps a turn, nm a turn: 1 pl / 1 nm = 1 mm2
        return self.pl_per_step * turn * 100 // self._config.get(wire.CONFIG_LEAD_NM)

    def fit(self, pl_per_step, volume_nl):
        """Begin with a syringe that holds `volume_nl`; zeros take it away."""
        self._doser.load(pl_per_step)
        self.volume_nl = volume_nl
        self._base_steps = self._position()
        self._low_steps = None

    def remaining_nl(self):
        steps = self._position() - self._base_steps
        return max(self.volume_nl - steps * self.pl_per_step // 1000, 0)

    def most_steps(self, volume_nl):
        """Steps that `volume_nl` takes at most, with whatever a dose before it has left over."""
        return volume_nl * 1000 // self.pl_per_step + 1

    def watch(self, program):
        """Let `is_low` look for the point behind which too little is left for `program` (R27)."""
        low_nl = self.volume_nl * wire.LOW_VOLUME_PERCENT // 100
        for index in range(program.length):
            step = program.steps[index]
            if step.kind == wire.STEP_SHOTS:
                low_nl = max(low_nl, wire.LOW_VOLUME_SHOTS * (step.dose_nl + step.film_nl))
        self._low_steps = self._base_steps + (self.volume_nl - low_nl) * 1000 // self.pl_per_step

    def is_low(self):
        """Is too little left? Says so once."""
        if self._low_steps is None or self._position() <= self._low_steps:
            return False
        self._low_steps = None
        return True

    def _position(self):
        return self._pulse.forward_steps - self._pulse.backward_steps
