"""Writes generated files, or with --check says which of them are not what would be written."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(description: str | None, outputs: Mapping[str, str], argv: list[str] | None = None) -> int:
    """Write each text of `outputs` to its path below the repository, or compare them.

    Args:
        description: what the generator makes, for --help.
        outputs: text of each file by its path relative to the root of the repository.
        argv: arguments of the command line; those of the process if None.

    Returns:
        The exit code: 1 if --check found a file that differs.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 if stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="write below this folder instead")
    arguments = parser.parse_args(argv)
    stale = [name for name, text in outputs.items() if _read(arguments.root / name) != text]
    if arguments.check:
        for name in stale:
            print(f"{name} is stale: run `make generate` and commit the result", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        path = arguments.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(outputs[name], encoding="utf-8", newline="\n")
        print(f"wrote {name}")
    return 0


def _read(path: Path) -> str | None:
    return path.read_bytes().decode() if path.exists() else None
