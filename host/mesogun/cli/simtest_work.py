"""What `mesogun simtest` does, and how it tells what it found."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from mesogun.cli.exit_codes import DONE, FAILED
from mesogun.cli.printer import Answer, Table
from mesogun.errors import UsageError
from mesogun.simtest.seed import run_seed
from mesogun.simtest.seeds import Report, run_seeds, workshop
from mesogun.simtest.stage import Tell

_SHOWN_EVERY = 10


def run_many(first: int, count: int, jobs: int | None) -> Answer:
    """Run `count` seeds on all processors, or on as many as are asked for."""
    report = run_seeds(first, count, jobs or os.cpu_count() or 1, progress=_progress(count))
    return _answer(report)


def run_one(seed: int, trace: str | None) -> Answer:
    """Run one seed in this process, with its trace into a file."""
    report = Report(seed)
    with ExitStack() as stack:
        tell = None if trace is None else _writer(stack.enter_context(_opened(trace)))
        report.add(run_seed(seed, stack.enter_context(workshop()), tell))
    return _answer(report)


def _opened(name: str) -> TextIO:
    try:
        return Path(name).open("w", encoding="utf-8")
    except OSError as error:
        reason = error.strerror
        raise UsageError(f"{name} cannot be written: {reason}. Name another file.") from None


def _writer(file: TextIO) -> Tell:
    def tell(now_ns: int, text: str) -> None:
        file.write(f"{now_ns:>14} {text}\n")

    return tell


def _progress(count: int) -> Callable[[Report], None]:
    """Return what shows how far the seeds are, where somebody looks."""

    def show(report: Report) -> None:
        over = report.seeds == count or report.broken is not None
        if over or report.seeds % _SHOWN_EVERY == 0:
            end = "\n" if over else ""
            sys.stderr.write(f"\r{report.seeds} of {count} worlds{end}")
            sys.stderr.flush()

    return show if sys.stderr.isatty() else _unseen


def _unseen(_report: Report) -> None:
    """Show nothing where nobody looks."""


def _answer(report: Report) -> Answer:
    hours = report.simulated_s / 3600
    data: dict[str, Any] = {
        "first": report.first,
        "seeds": report.seeds,
        "simulated_h": round(hours, 2),
        "broken": None,
        "counts": dict(sorted(report.counts.items())),
    }
    text: list[str | Table] = [
        Table([[name, f"{count:,}"] for name, count in sorted(report.counts.items())])
    ]
    last = report.first + report.seeds - 1
    broken = report.broken
    if broken is None or broken.broken is None:
        text.append(
            f"Seeds {report.first} to {last}: all rules hold in {hours:.1f} simulated hours."
        )
        return Answer(data, text, DONE)
    replay = f"mesogun simtest --seed {broken.seed} --trace FILE"
    data["broken"] = {
        "seed": broken.seed,
        "rule": broken.broken.rule.value,
        "text": broken.broken.text,
        "replay": replay,
    }
    text += [
        f"Seed {broken.seed} breaks a rule after {report.seeds} worlds.",
        f"Rule: {broken.broken.rule}",
        f"Found: {broken.broken.text}",
        f"Replay: {replay}",
    ]
    return Answer(data, text, FAILED)
