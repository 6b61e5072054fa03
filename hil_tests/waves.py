"""Writes what a test did on the gun's lines as a VCD file, for GTKWave and its like."""

from pathlib import Path

from benches.bench import Change, Line
from vcd import VCDWriter


def write_trace(path: Path, changes: list[Change]) -> None:
    """Write the changes of a bench; their first are the levels at its begin."""
    began_ns = changes[0].at_ns
    with (
        path.open("w", encoding="ascii") as file,
        VCDWriter(file, timescale="1 ns", date="simulated", init_timestamp=began_ns) as writer,
    ):
        lines = {
            line: writer.register_var("gun", line.value, "wire", size=1, init=0) for line in Line
        }
        for change in changes:
            writer.change(lines[change.line], change.at_ns, change.high)
