"""Summarises the shots of a session in figures."""

from dataclasses import dataclass
from fractions import Fraction

from mesogun.records.statistics.doses import DoseAccuracy, dose_accuracy, dose_errors_percent
from mesogun.records.view import SessionRecord


@dataclass(frozen=True)
class Statistics:
    """Complete shots and flows against their plan; primes and broken-off shots are not in it.

    Attributes:
        shots: how many.
        planned_mean_nl: mean planned dose, nl.
        delivered_min_nl: smallest witnessed dose, nl; the next two are mean and largest.
        worst_error_steps: largest difference of witnessed and planned dose steps, with sign.
        worst_error_shot: number of that shot.
        accuracy: witnessed against planned dose steps, percent of each plan; None if no shot had a
            dose planned. The witness counts steps: what left the needle is not in it.
    """

    shots: int
    planned_mean_nl: float
    delivered_min_nl: float
    delivered_mean_nl: float
    delivered_max_nl: float
    worst_error_steps: int
    worst_error_shot: int
    accuracy: DoseAccuracy | None


def summarise(record: SessionRecord) -> Statistics | None:
    """Return the figures of a session, None if it has no complete shot."""
    doses = [
        (shot.dose_steps, shot.delivered_steps, shot.shot)
        for shot in record.shots
        if shot.is_complete and shot.dose_steps is not None
    ]
    if not doses:
        return None
    nl_per_step = Fraction(record.session.pl_per_step, 1000)
    delivered = [steps for _, steps, _ in doses]
    error, shot = max(
        ((made - asked, n) for asked, made, n in doses), key=lambda each: abs(each[0])
    )
    return Statistics(
        shots=len(doses),
        planned_mean_nl=float(nl_per_step * sum(asked for asked, _, _ in doses) / len(doses)),
        delivered_min_nl=float(nl_per_step * min(delivered)),
        delivered_mean_nl=float(nl_per_step * sum(delivered) / len(doses)),
        delivered_max_nl=float(nl_per_step * max(delivered)),
        worst_error_steps=error,
        worst_error_shot=shot,
        accuracy=_accuracy([(made, asked) for asked, made, _ in doses if asked]),
    )


def _accuracy(steps: list[tuple[int, int]]) -> DoseAccuracy | None:
    """Return the accuracy of pairs of witnessed and planned steps; steps have one volume each."""
    if not steps:
        return None
    made, asked = zip(*steps, strict=True)
    return dose_accuracy(dose_errors_percent(made, asked))
