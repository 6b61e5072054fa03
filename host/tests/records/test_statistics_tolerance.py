"""Tolerance factors against published tables, scipy, and samples that are drawn."""

import random
from functools import partial
from math import sqrt
from statistics import NormalDist

import pytest
from scipy import integrate, stats

from mesogun.errors import UsageError
from mesogun.records.statistics import one_sided_factor, tolerance_interval, two_sided_factor

SIZES = (2, 3, 5, 25, 60, 300, 10_800)
SHARES = [(0.9, 0.9), (0.95, 0.975), (0.99, 0.9), (0.5, 0.5), (0.99, 0.999)]


def two_sided_confidence(k: float, n: int, coverage: float) -> float:
    """Integrate over the mean, with the noncentral chi-square, as textbooks write it."""

    def density(u: float) -> float:
        squared = stats.ncx2.ppf(coverage, 1, u * u / n)
        spread = stats.chi2.sf((n - 1) * squared / k**2, n - 1)
        return 2 * NormalDist().pdf(u) * float(spread)

    return integrate.quad(density, 0, 9, epsabs=1e-12, epsrel=1e-12, limit=200)[0]


def howe_factor(n: int, confidence: float, coverage: float) -> float:
    z = NormalDist().inv_cdf((1 + coverage) / 2)
    return z * sqrt((n - 1) * (1 + 1 / n) / float(stats.chi2.ppf(1 - confidence, n - 1)))


def test_60_doses_are_judged_by_the_exact_two_sided_factor() -> None:
    assert two_sided_factor(60) == pytest.approx(2.670, abs=5e-4)
    assert howe_factor(60, 0.95, 0.975) == pytest.approx(2.668, abs=5e-4)
    assert one_sided_factor(60) == pytest.approx(2.384, abs=5e-4)


@pytest.mark.parametrize(
    ("n", "k"), [(10, 2.911), (20, 2.396), (30, 2.220), (50, 2.065), (60, 2.022), (100, 1.927)]
)
def test_one_sided_factors_of_the_tables(n: int, k: float) -> None:
    """95 % confidence, 95 % coverage: Owen 1963, and the tables that repeat him."""
    assert one_sided_factor(n, 0.95, 0.95) == pytest.approx(k, abs=5.1e-4)


def test_published_one_sided_examples() -> None:
    # NIST/SEMATECH e-Handbook 7.2.6.3: 43 wafers, 99 % confidence, 90 % coverage.
    assert one_sided_factor(43, 0.99, 0.9) == pytest.approx(1.8740, abs=1e-4)
    # real-statistics.com, tolerance interval example 1, by the noncentral t.
    assert one_sided_factor(40, 0.99, 0.9) == pytest.approx(1.9017, abs=5.1e-5)


def test_howe_is_near_the_exact_factor() -> None:
    # The handbook's two-sided example is Howe's: 2.2173; the exact factor is 0.25 % larger.
    assert howe_factor(43, 0.99, 0.9) == pytest.approx(2.2173, abs=5.1e-5)
    assert two_sided_factor(43, 0.99, 0.9) == pytest.approx(2.2173, rel=3e-3)


@pytest.mark.parametrize(
    ("n", "factors"),
    [(25, (2.22, 2.64, 3.46)), (40, (2.06, 2.45, 3.22)), (60, (1.96, 2.34, 3.07))],
)
def test_two_sided_factors_of_a_table(n: int, factors: tuple[float, ...]) -> None:
    """95 % confidence; Berthouex and Brown, Statistics for Environmental Engineers, table 21.1."""
    found = [two_sided_factor(n, 0.95, coverage) for coverage in (0.9, 0.95, 0.99)]
    assert found == pytest.approx(factors, abs=0.0101)


@pytest.mark.parametrize(("confidence", "coverage"), SHARES)
@pytest.mark.parametrize("n", SIZES)
def test_one_sided_factors_agree_with_scipy(n: int, confidence: float, coverage: float) -> None:
    shift = NormalDist().inv_cdf(coverage) * sqrt(n)
    k = one_sided_factor(n, confidence, coverage)
    assert float(stats.nct.cdf(k * sqrt(n), n - 1, shift)) == pytest.approx(confidence, abs=1e-8)


@pytest.mark.parametrize(("confidence", "coverage"), SHARES[:4])
@pytest.mark.parametrize("n", SIZES)
def test_two_sided_factors_agree_with_scipy(n: int, confidence: float, coverage: float) -> None:
    k = two_sided_factor(n, confidence, coverage)
    assert two_sided_confidence(k, n, coverage) == pytest.approx(confidence, abs=1e-8)


def test_the_interval_holds_what_it_promises() -> None:
    """Of 2,000 samples of 25, 95 % must hold 97.5 % of their population: 1,900 ± 3 x 9.7."""
    draw = random.Random(20)
    population = NormalDist(3, 2)
    kept = 0
    for _ in range(2_000):
        low, high, _ = tolerance_interval([draw.gauss(3, 2) for _ in range(25)])
        kept += population.cdf(high) - population.cdf(low) >= 0.975
    assert 1_870 < kept < 1_930


def test_an_interval_worked_out_by_hand() -> None:
    # Mean 0.2, standard deviation 1 (test_25_successive_doses); k of 25 doses is 3.0147.
    interval = tolerance_interval([0.0] * 24 + [5.0])
    assert interval == pytest.approx((0.2 - 3.0147, 0.2 + 3.0147, 3.0147), abs=5e-5)


def test_many_values_leave_the_normal_quantile() -> None:
    assert two_sided_factor(10_000_000) == pytest.approx(NormalDist().inv_cdf(0.9875), rel=1e-3)
    assert one_sided_factor(10_000_000) == pytest.approx(NormalDist().inv_cdf(0.975), rel=1e-3)


@pytest.mark.parametrize("factor", [one_sided_factor, two_sided_factor])
def test_wrong_arguments_are_refused(factor: partial[float]) -> None:
    with pytest.raises(UsageError, match="sample of 1 "):
        factor(1)
    with pytest.raises(UsageError, match=r"confidence of 95 .* 0\.95"):
        factor(60, 95)
    with pytest.raises(UsageError, match=r"coverage of 0\.4 "):
        factor(60, 0.95, 0.4)
    with pytest.raises(UsageError, match="coverage of nan "):
        factor(60, 0.95, float("nan"))
