"""What must hold in every simulated world, and how it is told that it does not."""

from enum import StrEnum


class Rule(StrEnum):
    """One invariant."""

    EXACTLY_ONCE = "recorded exactly once"
    """Every record that the gun has written whole is in the store once and unchanged, and no other;
    no number of a record is used twice."""
    BOUNDED = "witnessed steps are recorded"
    """For each boot, the results in the store tell no more steps than were made, and with the upper
    bounds of the shots without a result no fewer; without such shots exactly as many."""
    ASKED = "no dose without a request"
    """No step that no START or PRIME has asked for, and none of a prime without a press."""
    ONE_DOSE = "one request, one dose"
    """No request is carried out twice, whoever repeats it, and the host sends each once."""
    SETTLED = "a doubt is settled truly"
    """What the host settled as certainly not done was not done; until then it delivers nothing."""
    WITHIN = "within budget and limits"
    """The driver's step budget is that of the armed program; no session delivers more than its
    limit, no syringe more than it holds."""
    FAULT_OFF = "a fault means driver off"
    """No step and no current while the alarm light is on, none 0.1 s after an input turned bad,
    none in an automatic step 2.1 s after the last word of the host."""
    AT_REST = "nothing resumes by itself"
    """After a reset the driver stays off until the gun is armed anew; a pause lasts until RESUME
    or STOP."""
    VERIFIED = "verify holds"
    """Each session verifies, up to gaps where a record was torn or its page is worn; and whatever
    is done to the store behind its back, verify finds it."""
    COUNTED = "the gun counts as the world does"
    """Its totals of forward and backward steps are those of the pin."""
    DELIVERED = "undisturbed sessions are complete"
    """Where nothing goes wrong the program is delivered whole and its record is complete. An
    occlusion alarm without an occlusion is counted: it has a bound of its own (R24)."""
    ENDS = "every world comes to its end"
    """The firmware runs on and answers, the host comes back, the store takes the records, all
    within the time that the world is given."""


class Broken(Exception):
    """A rule does not hold.

    Attributes:
        rule: which.
        text: with what values.
    """

    def __init__(self, rule: Rule, text: str) -> None:
        """Take the rule and the values that break it."""
        super().__init__(f"{rule}: {text}")
        self.rule = rule
        self.text = text

    def __reduce__(self) -> tuple[type["Broken"], tuple[Rule, str]]:
        """Travel between processes with both arguments."""
        return Broken, (self.rule, self.text)
