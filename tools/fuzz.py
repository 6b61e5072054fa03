"""Fuzzes every parser for a long time: `make fuzz`. The short runs belong to `make test`.

    fuzz.py device TARGET COUNT [SEED]    firmware/tests/device_fuzz.py on the real MicroPython
    fuzz.py host TARGET COUNT [SEED]      the host's parsers, guided by coverage (atheris)

What a parser raises beside its own refusal ends the run with the input that did it. Each run tells
its figures: inputs, seconds of processor time, memory at a tenth of the way and at the end.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DEVICE_SCRIPT = ROOT / "firmware/tests/device_fuzz.py"


def main() -> None:
    """Run one target."""
    parser = argparse.ArgumentParser(description="Fuzz one parser.")
    parser.add_argument("side", choices=("device", "host"))
    parser.add_argument("target")
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    chosen = parser.parse_args()
    print(f"{chosen.side} {chosen.target}: {chosen.count:,} inputs, seed {chosen.seed}", flush=True)
    if chosen.side == "device":
        _device(chosen.target, chosen.count, chosen.seed)
    else:
        _host(chosen.target, chosen.count, chosen.seed)


def _device(target: str, count: int, seed: int) -> None:
    binary = os.environ.get("MESOGUN_MICROPYTHON", Path(sys.executable).with_name("micropython"))
    firmware = DEVICE_SCRIPT.parents[1]
    subprocess.run(
        [binary, "-X", "heapsize=2m", DEVICE_SCRIPT, target, str(seed), str(count)],
        env={**os.environ, "MICROPYPATH": f"{firmware}:{DEVICE_SCRIPT.parent}:.frozen"},
        check=True,
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{used.ru_utime + used.ru_stime:.0f} s of processor time", flush=True)


def _host(target: str, count: int, seed: int) -> None:
    # Of the group `fuzz`, which only this run needs.
    atheris: Any = import_module("atheris")

    with atheris.instrument_imports(include=["mesogun_protocol", "mesogun.program", "cobs"]):
        import fuzz_targets
    act = fuzz_targets.TARGETS[target]
    done = 0

    def one_input(data: bytes) -> None:
        nonlocal done
        act(data)
        done += 1
        if done in (count // 10, count):
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(f"{done:,} inputs, {time.process_time():.0f} s, {memory:,} KiB", flush=True)

    with tempfile.TemporaryDirectory(prefix="corpus") as folder:
        for number, data in enumerate(fuzz_targets.examples(target)):
            (Path(folder) / str(number)).write_bytes(data)
        options = [f"-runs={count}", f"-seed={seed}", "-verbosity=0", "-max_len=1200"]
        atheris.Setup([sys.argv[0], *options, folder], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
