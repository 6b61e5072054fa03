"""Tolerance intervals: between which limits a share of all doses lies, told from a sample of them.

For normally distributed values the interval is mean ± k s. The two-sided k makes it true with
probability `confidence` that the interval holds at least the share `coverage` of the population;
the one-sided k does so for the values below one limit (or above one). Both are exact, not Howe's
approximation: with a confidence of 95 % and a coverage of 97.5 %, 60 doses have a two-sided k of
2.670 (Howe's is 2.668) and a one-sided k of 2.384. ISO 11608-1 judges dose accuracy by such an
interval, ISO 16269-6 defines both kinds.

With u the standard normal variable and q = s/sigma, where (n - 1) q^2 has a chi-square distribution
of n - 1 degrees of freedom, both confidences are integrals over the density f of ln q:

    one-sided   C(k) = int Phi(sqrt(n) (k q - z)) f(ln q) d(ln q),             Phi(z) = coverage
    two-sided   C(k) = int P(|u| <= sqrt(n) x) f(ln q) d(ln q),
                       Phi(x + k q) - Phi(x - k q) = coverage

The first is the distribution of the noncentral t (Owen 1968), the second that of Wald and Wolfowitz
(1946). In the second x(q) starts like a square root; taken over x instead, with r = k q and
dr/dx = tanh(x r), which follows from the last line, it is smooth and even. The trapezoidal rule
converges exponentially for both (Trefethen and Weideman 2014), so that a table of nodes, a library
or the incomplete gamma function are not needed.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import cosh, erf, exp, lgamma, log, pi, sinh, sqrt, tanh
from statistics import NormalDist
from typing import NamedTuple

from mesogun.errors import UsageError
from mesogun.records.statistics.doses import mean_and_deviation

CONFIDENCE = 0.95
COVERAGE = 0.975

_NORMAL = NormalDist()
_TAIL = 40.0
"""Densities below exp(-40) of the largest are left out."""


class ToleranceInterval(NamedTuple):
    """Mean ± k s; limits in the unit of the values."""

    low: float
    high: float
    k: float


def tolerance_interval(
    values: Sequence[float], confidence: float = CONFIDENCE, coverage: float = COVERAGE
) -> ToleranceInterval:
    """Return the two-sided tolerance interval of normally distributed values.

    Args:
        values: two or more, such as the errors of 60 doses in percent.
        confidence: probability that the statement holds, 0.5 to below 1.
        coverage: share of all values that lies in the interval, 0.5 to below 1.

    Raises:
        UsageError: if a value is not finite, there are fewer than two or a share is out of range.
    """
    k = two_sided_factor(len(values), confidence, coverage)
    mean, deviation = mean_and_deviation(values)
    assert deviation is not None  # the factor refuses fewer than two values
    return ToleranceInterval(mean - k * deviation, mean + k * deviation, k)


@lru_cache
def two_sided_factor(n: int, confidence: float = CONFIDENCE, coverage: float = COVERAGE) -> float:
    """Return k for which mean ± k s holds the share `coverage`; relative error below 1e-8.

    Args:
        n: size of the sample, 2 or more.
        confidence: 0.5 to below 1.
        coverage: 0.5 to below 1.

    Raises:
        UsageError: if an argument is out of range.
    """
    _check(n, confidence, coverage)
    return _solve(lambda k: _two_sided_confidence(k, n, coverage), confidence)


@lru_cache
def one_sided_factor(n: int, confidence: float = CONFIDENCE, coverage: float = COVERAGE) -> float:
    """Return k for which the share `coverage` is below mean + k s; relative error below 1e-8.

    The same k serves for the share above mean - k s. Arguments and errors: `two_sided_factor`.
    """
    _check(n, confidence, coverage)
    return _solve(lambda k: _one_sided_confidence(k, n, coverage), confidence)


def _check(n: int, confidence: float, coverage: float) -> None:
    if n < 2:
        raise UsageError(
            f"A sample of {n} has no standard deviation, which a tolerance interval needs; take 2 "
            "values or more."
        )
    for name, share in (("confidence", confidence), ("coverage", coverage)):
        if not 0.5 <= share < 1:
            raise UsageError(
                f"A {name} of {share} is out of range: 0.5 to below 1 says something about most "
                "doses. Give 0.95 for 95 %."
            )


def _solve(confidence_of: Callable[[float], float], confidence: float) -> float:
    """Return k by bisection; the confidence grows with k and is below any asked one at 0."""
    low, high = 0.0, 1.0
    while confidence_of(high) < confidence:
        low, high = high, 2 * high
    while high - low > 1e-10 * high:
        middle = (low + high) / 2
        if confidence_of(middle) < confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _log_density(degrees: int) -> Callable[[float], float]:
    """Return the density of ln q as a function of ln q, where degrees q^2 is chi-square."""
    norm = log(2) + degrees / 2 * log(degrees / 2) - lgamma(degrees / 2)
    return lambda log_q: exp(norm + degrees * (log_q - exp(2 * log_q) / 2))


def _one_sided_confidence(k: float, n: int, coverage: float) -> float:
    density = _log_density(n - 1)
    z = _NORMAL.inv_cdf(coverage)
    # ln of the density falls from its peak at ln q = 0 like -(n - 1) (ln q)^2 above, and below it
    # at least as fast until it goes on like (n - 1) ln q: these bounds leave exp(-_TAIL) out.
    reach = sqrt(_TAIL / (n - 1))
    low = -(reach + reach * reach)
    step = min(0.15, 0.5 / (max(1.5, z) * sqrt(n)))  # half the narrower factor
    nodes = (low + step * i for i in range(int((reach - low) / step) + 2))
    return step * sum(
        density(log_q) * _NORMAL.cdf(sqrt(n) * (k * exp(log_q) - z)) for log_q in nodes
    )


def _two_sided_confidence(k: float, n: int, coverage: float) -> float:
    density = _log_density(n - 1)
    half_width = _NORMAL.inv_cdf((1 + coverage) / 2)
    # The integrand over x is as narrow as 1/sqrt(n), half_width has its nearest branch points at an
    # imaginary x of pi / (2 half_width), and the density rises along an imaginary ln q. A small
    # sample needs a large x, which x = sinh(t) reaches in few steps.
    step = min(0.35 / sqrt(n), 0.28 / half_width, 0.13 * half_width)
    widest = k * (1 + sqrt(2 * _TAIL / (n - 1)))
    t = x = total = 0.0
    while half_width < widest:
        t += step
        last, x = x, sinh(t)
        half_width = _half_width(x, coverage, half_width + x - last)
        log_q = log(half_width / k)
        slope = tanh(x * half_width) / half_width  # of ln q over x
        total += density(log_q) * slope * erf(sqrt(n / 2) * x) * cosh(t)
    return step * total


def _half_width(x: float, coverage: float, guess: float) -> float:
    """Return r of Phi(x + r) - Phi(x - r) = coverage by Newton's rule, from a guess above it."""
    r = guess
    while True:
        held = (erf((x + r) * sqrt(0.5)) - erf((x - r) * sqrt(0.5))) / 2
        density = (exp(-((x + r) ** 2) / 2) + exp(-((x - r) ** 2) / 2)) / sqrt(2 * pi)
        change = (coverage - held) / density
        r += change
        if abs(change) < 1e-12 * r:
            return r
