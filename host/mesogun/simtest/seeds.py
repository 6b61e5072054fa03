"""Runs many seeds on several processors and adds up what happened."""

import os
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from mesogun.simtest.compiled import compile_firmware
from mesogun.simtest.disk import Disk
from mesogun.simtest.draw import SMALL_SECTORS
from mesogun.simtest.seed import Outcome, Workshop, run_seed
from mesogun.virtual.forked import ForkServer
from mesogun_protocol.limits import JOURNAL_SECTORS

_CHUNK: Final = 10
_MEMORY: Final = Path("/dev/shm")
"""Stores in memory spare the disk a million flushes, where a system has such a folder."""


@dataclass
class Report:
    """What became of seeds that were run one after the other.

    Attributes:
        first: number of the first seed.
        seeds: how many have come to their end.
        broken: the first seed in which a rule does not hold, None if there is none.
        counts: how often things happened in all of them.
        simulated_s: how long the worlds ran together.
    """

    first: int
    seeds: int = 0
    broken: Outcome | None = None
    counts: Counter[str] = field(default_factory=Counter[str])
    simulated_s: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Take up the outcome of the next seed."""
        self.seeds += 1
        self.counts.update(outcome.counts)
        self.simulated_s += outcome.simulated_s
        if outcome.broken is not None:
            self.broken = outcome


def run_seeds(
    first: int,
    count: int,
    jobs: int = 1,
    firmware: Path | None = None,
    progress: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Run seeds in order, up to the first in which a rule does not hold.

    Args:
        first: number of the first seed.
        count: how many.
        jobs: how many processes share the work; 1 is this one.
        firmware: folder of the firmware's sources, this host's unless given.
        progress: called after each seed.

    Raises:
        CompileError: if the firmware cannot be compiled.
        PortError: if there is no MicroPython.
    """
    report = Report(first)
    with _outcomes(range(first, first + count), jobs, firmware) as outcomes:
        for outcome in outcomes:
            report.add(outcome)
            progress(report)
            if report.broken is not None:
                break
    return report


@contextmanager
def workshop(firmware: Path | None = None) -> Generator[Workshop]:
    """Make what the worlds of this process share: compiled firmware, a server, a folder.

    Args:
        firmware: folder of the firmware's sources, this host's unless given.

    Raises:
        CompileError: if the firmware cannot be compiled.
    """
    with _compiled(firmware) as (folder, compiled):
        server = ForkServer()
        try:
            yield Workshop(compiled, server, Disk(folder / "disk"))
        finally:
            server.close()


@contextmanager
def _compiled(firmware: Path | None) -> Generator[tuple[Path, dict[int, Path]]]:
    place = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="mesogun-simtest-", dir=place) as name:
        folder = Path(name)
        compiled = {
            sectors: folder / f"firmware-{sectors}" for sectors in (SMALL_SECTORS, JOURNAL_SECTORS)
        }
        for sectors, target in compiled.items():
            compile_firmware(target, sectors, firmware)
        yield folder, compiled


@contextmanager
def _outcomes(seeds: range, jobs: int, firmware: Path | None) -> Generator[Iterable[Outcome]]:
    if jobs == 1:
        with workshop(firmware) as shared:
            yield (run_seed(seed, shared) for seed in seeds)
        return
    with _compiled(firmware) as (folder, compiled):
        # A process that was forked from one with threads may hang.
        executor = ProcessPoolExecutor(jobs, get_context("spawn"), _begin_work, (folder, compiled))
        try:
            yield executor.map(_work, seeds, chunksize=_CHUNK)
        finally:
            executor.shutdown(cancel_futures=True)


_worker: Workshop | None = None


def _begin_work(folder: Path, compiled: dict[int, Path]) -> None:
    """Make the workshop of a process of the pool; it ends with the process."""
    global _worker  # noqa: PLW0603 (a pool hands its workers nothing else)
    # A Ctrl-C is for the process that the user sees.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = Workshop(compiled, ForkServer(), Disk(folder / f"disk-{os.getpid()}"))


def _work(seed: int) -> Outcome:
    assert _worker is not None
    return run_seed(seed, _worker)
