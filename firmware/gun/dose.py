"""Nanolitres to steps, with what is less than a step carried on, so that no error ever adds up."""

from gun import wire


class Doser:
    """Turns each dose into whole steps and owes the rest to the next one.

    After any number of doses the steps taken are floor(sum of doses / volume of a step). Picolitres
    of one shot (at most 1e9) stay below 2**30, so a shot makes no big integer on the gun.
    """

    def __init__(self):
        self.load(0)

    def load(self, pl_per_step):
        """Take the syringe's volume of one step in pl (0: none), and owe nothing."""
        self.pl_per_step = pl_per_step
        self.remainder_pl = 0
        self._marked_pl = 0

    def mark(self):
        """Begin to plan a shot: `undo` comes back to here."""
        self._marked_pl = self.remainder_pl

    def take(self, dose_nl):
        """Return the whole steps of `dose_nl` and of what is owed; the rest is owed from now on."""
        owed_pl = dose_nl * 1000 + self.remainder_pl
        steps = owed_pl // self.pl_per_step
        self.remainder_pl = owed_pl - steps * self.pl_per_step
        return steps

    def undo(self):
        """Forget everything taken since the last `mark`: that shot was withdrawn unmoved."""
        self.remainder_pl = self._marked_pl


def whole_steps(volume_nl, pl_per_step):
    """Return the whole steps in `volume_nl` alone: for a retraction, and for totals."""
    return volume_nl * 1000 // pl_per_step


def budget_steps(forward_steps):
    """Return how many steps hardware lets through where `forward_steps` are planned (R05)."""
    return forward_steps + forward_steps * wire.BUDGET_MARGIN_PERCENT // 100 + 1
