"""Figures with their units, written as the locale does.

Thousands are never set apart: a comma or a point that one country reads as thousands and another as
the decimal sign has no place in a dose.
"""

from datetime import datetime, tzinfo
from decimal import Decimal

from mesogun.words.language import _, current

_UL_PER_ML = 1000
_FINEST = 12
"""Digits behind the decimal sign of the smallest figure that a program may have."""


def number(value: float, digits: int = 0, *, trim: bool = False) -> str:
    """A number with its locale's decimal sign.

    Args:
        value: the number.
        digits: behind the decimal sign.
        trim: leave out zeros at the end.
    """
    from babel.numbers import format_decimal

    # Rounded here, because babel shows what it is given to the digit: 0.15 is a bit less.
    rounded = Decimal(f"{value:.{digits}f}")
    return format_decimal(
        rounded + 0,  # no -0
        format="0" if digits == 0 else f"0.{('#' if trim else '0') * digits}",
        locale=current().locale,
        group_separator=False,
    )


def general(value: float, significant: int = 6) -> str:
    """A number with no more digits than it needs, such as 0.25 or 4000.

    Args:
        value: the number.
        significant: most digits that are told.
    """
    from babel.numbers import format_decimal

    return format_decimal(
        Decimal(f"{value:.{significant}g}") + 0,
        format=f"0.{'#' * _FINEST}",
        locale=current().locale,
        group_separator=False,
    )


def volume(volume_nl: float) -> str:
    """A volume: microlitres below a millilitre, millilitres from there."""
    volume_ul = round(volume_nl / 1000, 1)
    if abs(volume_ul) < _UL_PER_ML:
        return _("{number} ul").format(number=number(volume_ul, 1, trim=True))
    return _("{number} ml").format(number=number(volume_nl / 1e6, 3))


def pressure(pressure_kpa: float) -> str:
    """A pressure in whole kilopascals."""
    return _("{number} kPa").format(number=number(pressure_kpa))


def percent(share: float) -> str:
    """A share of 1 in whole percent."""
    return _("{number} %").format(number=number(share * 100))


def duration(time_s: float) -> str:
    """A length of time."""
    if round(time_s, 1) < 60:
        return _("{number} s").format(number=number(time_s, 1))
    minutes, seconds = divmod(round(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)
    return _("{minutes} min {seconds} s").format(minutes=minutes, seconds=seconds)


def date(moment: datetime, zone: tzinfo | None = None) -> str:
    """A day, its month in words so that day and month cannot be taken for each other.

    Args:
        moment: with its zone.
        zone: whose day it is; None for that of this computer.
    """
    from babel.dates import format_date

    return format_date(moment.astimezone(zone), format="long", locale=current().locale)


def date_time(moment: datetime, zone: tzinfo | None = None) -> str:
    """A day as `date` writes it, and the time to the minute."""
    from babel.dates import format_time

    time = format_time(moment.astimezone(zone), format="short", locale=current().locale)
    return _("{date}, {time}").format(date=date(moment, zone), time=time)
