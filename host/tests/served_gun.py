"""Commands that run in a process of their own beside a test, such as a served gun."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def begun(surroundings: Path, *command: str) -> subprocess.Popen[str]:
    """A command in a process of its own; whoever began it ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "mesogun.cli", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd=surroundings,
    )


@contextmanager
def running(surroundings: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A command in a process of its own, which is interrupted in the end."""
    process = begun(surroundings, *command)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate()


@contextmanager
def served(surroundings: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A gun that is served by a process of its own; yields its port."""
    with running(surroundings, "sim", *options) as gun:
        assert gun.stdout is not None
        yield gun.stdout.readline().strip(), gun
