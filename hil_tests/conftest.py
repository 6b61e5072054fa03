"""The one switch: `--target` says what the tests of this folder run on."""

import sys
from collections.abc import Callable, Iterator
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
    """Add the switch and what belongs to it."""
    group = parser.getgroup("whole-system tests")
    group.addoption(
        "--target",
        choices=TARGETS,
        default="virtual",
        help="what the whole-system tests run on (default: virtual)",
    )
    group.addoption("--port", metavar="URL", help="with --target board: the gun's serial port")
    group.addoption("--board-id", metavar="HEX", help="with --target board: the id it must have")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a board that nobody has named, before anything runs."""
    if config.getoption("--target") != "board":
        return
    if not (config.getoption("--port") and config.getoption("--board-id")):
        raise pytest.UsageError(
            "--target board moves a real plunger: name the gun with --port URL and --board-id HEX"
        )
    raise pytest.UsageError(
        "--target board needs the rig, a second board that works the gun's inputs and counts its "
        "steps; there is no bench for it yet: choose --target virtual or rp2040"
    )


@pytest.fixture(scope="session")
def power_up(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str, bool, int], Bench]]:
    """Return what makes the target's benches, of syringe, needle, one_point and seed."""
    if request.config.getoption("--target") == "virtual":
        yield VirtualBench
        return
    pytest.importorskip(
        "rp2040py", reason="the emulator is missing: pip install 'mesogun[emulator]'"
    )
    from benches.emulated_guns import EmulatedGuns

    from mesogun.emulated.image import NoImage, find_image

    try:
        image = find_image()
    except NoImage as error:
        pytest.skip(str(error))
    with EmulatedGuns(image, tmp_path_factory.mktemp("guns") / "socket") as guns:
        yield guns.make


@pytest.fixture
def make_bench(
    power_up: Callable[[str, str, bool, int], Bench],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[BenchMaker]:
    """Return a function that makes a bench for a syringe and a needle of the catalog."""
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path))
    made: list[Bench] = []

    def make(
        syringe: str = "bd-plastipak-5",
        needle: str = "30g-4",
        one_point: bool = False,
        seed: int = 1,
    ) -> Bench:
        made.append(power_up(syringe, needle, one_point, seed))
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
