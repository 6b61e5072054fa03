"""The one switch: `--target` says what the tests of this folder run on."""

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

# The tests share modules of this folder, whatever directory pytest was started in.
sys.path.insert(0, str(Path(__file__).parent))

from benches.bench import PATIENCE, Bench, BenchMaker
from benches.virtual import VirtualBench
from health import Health
from waves import write_trace

from mesogun.gun import Gun
from mesogun.link import Link

_GUNS = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch and what belongs to it."""
    group = parser.getgroup("whole-system tests")
    group.addoption(
        "--target",
        choices=PATIENCE,
        default="virtual",
        help="what the whole-system tests run on (default: virtual)",
    )
    group.addoption(
        "--vcd",
        type=Path,
        metavar="DIR",
        help="leave a VCD file of each test in DIR: steps, driver, trigger, interlock",
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep a share of the cases of a test that is marked `sampled`, evenly spread over them."""
    keep_each = round(1 / PATIENCE[str(config.getoption("--target"))])
    seen: Counter[str] = Counter()
    left: list[pytest.Item] = []
    for item in sorted(items, key=lambda item: item.nodeid):
        if item.get_closest_marker("sampled") is not None:
            name = item.nodeid.partition("[")[0]
            if seen[name] % keep_each:
                left.append(item)
            seen[name] += 1
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]


def _image() -> Path:
    """Return the image for the emulated chip; skip, with how to get it, if something is missing."""
    missing = "the emulator is missing: pip install 'mesogun[emulator]'"
    pytest.importorskip("rp2040py", reason=missing)
    from mesogun.emulated.image import NoImage, find_image

    try:
        return find_image()
    except NoImage as error:
        pytest.skip(str(error))


def _emulated_guns(config: pytest.Config) -> str:
    """Return where emulated guns come from; the first call of a session has one booted."""
    if _GUNS not in config.stash:
        image = _image()
        from benches.emulated_guns import EmulatedGuns

        folder = tempfile.TemporaryDirectory()
        config.add_cleanup(folder.cleanup)
        config.stash[_GUNS] = f"{folder.name}/guns"
        config.add_cleanup(EmulatedGuns(image, config.stash[_GUNS]).close)
    return config.stash[_GUNS]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let all workers of a session (`-n 2`) take copies of the same gun."""
    if node.config.getoption("--target") == "rp2040":
        with suppress(pytest.skip.Exception):  # each test says it
            node.workerinput["guns"] = _emulated_guns(node.config)


@pytest.fixture(scope="session")
def power_up(request: pytest.FixtureRequest) -> Callable[[str, str, bool, int], Bench]:
    """Return what makes the target's benches, of syringe, needle, one_point and seed."""
    config = request.config
    if config.getoption("--target") == "virtual":
        return VirtualBench
    _image()
    from benches.emulated_guns import emulated_bench

    workerinput: dict[str, str] | None = getattr(config, "workerinput", None)
    return partial(
        emulated_bench, _emulated_guns(config) if workerinput is None else workerinput["guns"]
    )


@pytest.fixture
def make_bench(
    request: pytest.FixtureRequest,
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
    folder: Path | None = request.config.getoption("--vcd")
    for number, bench in enumerate(made):
        if folder is not None:
            _leave_trace(folder, f"{request.node.nodeid}-{number}", bench)
        bench.close()


def _leave_trace(folder: Path, name: str, bench: Bench) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    plain = re.sub(r"[^\w.]+", "-", name.rpartition("/")[2])
    write_trace(folder / f"{plain}.vcd", bench.changes())


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
