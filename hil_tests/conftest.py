"""The one switch: `--target` says what the tests of this folder run on."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The tests share modules of this folder, whatever directory pytest was started in.
sys.path.insert(0, str(Path(__file__).parent))

from benches.bench import Bench, BenchMaker
from benches.virtual import VirtualBench
from health import Health

from mesogun.gun import Gun
from mesogun.link import Link

TARGETS = ("virtual", "rp2040", "board")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch."""
    parser.addoption(
        "--target",
        choices=TARGETS,
        default="virtual",
        help="what the whole-system tests run on (default: virtual)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a target that cannot be tested yet, before anything runs."""
    target = config.getoption("--target")
    if target != "virtual":
        raise pytest.UsageError(
            f"--target {target}: there is no bench for this target yet; choose --target virtual"
        )


@pytest.fixture
def make_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BenchMaker]:
    """Return a function that makes a bench for a syringe and a needle of the catalog."""
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path))
    made: list[Bench] = []

    def make(
        syringe: str = "bd-plastipak-5",
        needle: str = "30g-4",
        one_point: bool = False,
        seed: int = 1,
    ) -> Bench:
        made.append(VirtualBench(syringe, needle, one_point, seed))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(make_bench: BenchMaker) -> Bench:
    """Return a bench with a 5 ml syringe and a short needle."""
    return make_bench()


@pytest.fixture
def health(bench: Bench) -> Iterator[Health]:
    """Watch the links of a test, and assert after it that the gun is well."""
    watcher = Health(bench)
    yield watcher
    watcher.check()


@pytest.fixture
def gun(bench: Bench, health: Health) -> Gun:
    """Return the gun on the bench, greeted."""
    return health.greet(Link(bench.connect()))
