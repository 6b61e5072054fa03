"""Figures of what was delivered, as the standards for dose and flow accuracy define them.

Pure functions: doses and volumes in, figures out. `doses` has the error of single shots,
`tolerance` what a sample says about all shots to come, `curve` volume over time and what dribbles
after a stop, `trumpet` the error of flow over windows of time, `session` a stored session.
"""

from mesogun.records.statistics.curve import Delivery, DeliveryCurve, dribble_nl
from mesogun.records.statistics.doses import (
    BackPressureEffect,
    DoseAccuracy,
    back_pressure_effect,
    count_within,
    dose_accuracy,
    dose_errors_percent,
)
from mesogun.records.statistics.session import Statistics, summarise
from mesogun.records.statistics.tolerance import (
    ToleranceInterval,
    one_sided_factor,
    tolerance_interval,
    two_sided_factor,
)
from mesogun.records.statistics.trumpet import (
    FlowPoint,
    TrumpetPoint,
    overall_error_percent,
    shot_sample_s,
    start_up_curve,
    trumpet,
)

__all__ = [
    "BackPressureEffect",
    "Delivery",
    "DeliveryCurve",
    "DoseAccuracy",
    "FlowPoint",
    "Statistics",
    "ToleranceInterval",
    "TrumpetPoint",
    "back_pressure_effect",
    "count_within",
    "dose_accuracy",
    "dose_errors_percent",
    "dribble_nl",
    "one_sided_factor",
    "overall_error_percent",
    "shot_sample_s",
    "start_up_curve",
    "summarise",
    "tolerance_interval",
    "trumpet",
    "two_sided_factor",
]
