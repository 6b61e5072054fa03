"""Measures what the project says about its speed, on this machine: `make bench`.

Figures are printed, never asserted: machines are noisy, and a test that fails when another program
runs teaches people to ignore it. Ratios compare two things in one run.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_report import SHOTS, report_cpu_s, show_cpu_s
from mesogun.catalog import get_needle, get_syringe
from mesogun.gun import Gun
from mesogun.ports import Simulation
from mesogun.program import Program, resolve
from mesogun.records import Store
from mesogun.records.speed import measure_ingest
from mesogun.treatment import UNWATCHED_S, Order, Treatment
from mesogun.virtual.gun import VirtualTransport

_REPEATS = 7


def main() -> None:
    """Run every measurement and print its figure as soon as it is known."""
    if hasattr(os, "sched_setaffinity"):
        # One core, as the figures are stated for one; the firmware's process shares it.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f"machine   {platform.node()}: {_processor()}, {os.cpu_count()} cores, one used")
    print(f"software  {platform.platform()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MESOGUN_VIRTUAL_DIR"] = folder
        _print("mesoperfusion, 45 min", _session(_long_mesoperfusion(), Path(folder)))
        _print("nappage at 4 shots/s", _session(_fast_nappage(), Path(folder)))
        with Store.open(f"sqlite:///{folder}/ingest.db") as store:
            _print("ingest into SQLite", f"{measure_ingest(store):,.0f} records/s")
        for form in ("pdf", "html"):
            cpu_s = report_cpu_s(Path(folder), form)
            _print(f"report as {form}", f"{cpu_s:.1f} s of processor time for {SHOTS} shots")
        for shots in (300, SHOTS):
            cpu_s = show_cpu_s(Path(folder), shots)
            figure = f"{cpu_s:.2f} s of processor time for {shots} shots of a million records"
            _print("sessions show", figure)
    ours, theirs = _help_s("mesogun"), _help_s("mpremote")
    _print("mesogun --help", f"{ours * 1000:.0f} ms, {ours / theirs:.2f} times mpremote --help")


def _print(what: str, figure: str) -> None:
    print(f"{what:24}{figure}", flush=True)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _long_mesoperfusion() -> Program:
    """2 s of injection every 20 s for 45 minutes: the longest session there is."""
    return _edited("chronic-pain", count=None, duration_s=2700.0)


def _fast_nappage() -> Program:
    return _edited("nappage", rate_hz=4.0, period_s=None, interval_s=None)


def _edited(name: str, **changes: object) -> Program:
    program = resolve(name)
    (step,) = program.steps
    return program.model_copy(update={"steps": (step.model_copy(update=changes),)})


def _session(program: Program, folder: Path) -> str:
    """Run a whole session, record and verification included, as fast as it goes."""
    simulation = Simulation(
        get_syringe(program.syringe),
        get_needle(program.needle),
        speed=None,
        auto_trigger=True,
        new_point_each_shot=program.technique != "mesoperfusion",
    )
    began_s, began_cpu_s = time.perf_counter(), _cpu_s()
    transport = VirtualTransport(simulation.settings())
    with Gun.open(transport) as gun, Store.open(f"sqlite:///{folder}/bench.db") as store:
        treatment = Treatment(gun, store, Order(program, seed=0))
        treatment.prepare()
        result = treatment.run(lambda _: None, UNWATCHED_S)
        wall_s = time.perf_counter() - began_s
        if not store.verify(result.session).ok:
            raise SystemExit("the record of the benchmark does not verify")
    transport.forget()
    cpu_s = _cpu_s() - began_cpu_s
    return (
        f"{result.duration_s / cpu_s:.0f} times real time by processor time, "
        f"{result.duration_s / wall_s:.0f} times by the clock ({result.shots_delivered} shots, "
        f"{result.duration_s:.0f} s simulated)"
    )


def _cpu_s() -> float:
    """Processor time of this process and of the firmware's, once that has ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _help_s(command: str) -> float:
    """Return the median time of `command --help`, as a shell sees it."""
    path = Path(sys.executable).parent / command
    times: list[float] = []
    for _ in range(_REPEATS + 1):
        began_s = time.perf_counter()
        subprocess.run([path, "--help"], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began_s)
    return statistics.median(times[1:])  # the first one fills the disk cache


if __name__ == "__main__":
    main()
