"""The bench in software: the real firmware in the simulated world."""

from datetime import UTC, datetime, timedelta

from benches.bench import Edge, Steps
from mesogun.catalog import get_needle, get_syringe
from mesogun.ports import Simulation
from mesogun.virtual.gun import VirtualTransport
from mesogun.virtual.pulse_stream import Run

_BOARD_ID = bytes.fromhex("0123456789abcdef")
_FAILING_V = 6.0
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Always the same time of day: the first request number of a conversation comes from it."""


class _Cable:
    """One connection to the virtual gun; a new one takes nothing over from the one before."""

    name = "bench"

    def __init__(self, gun: VirtualTransport, number: int) -> None:
        self._gun = gun
        # No host starts twice within a millisecond; in simulated time it could.
        self._opened = _EPOCH + timedelta(seconds=number)
        gun.world.receive()

    def write(self, data: bytes) -> None:
        self._gun.write(data)

    def read(self, timeout_s: float) -> bytes:
        return self._gun.read(timeout_s)

    def monotonic_s(self) -> float:
        return self._gun.monotonic_s()

    def wall_clock(self) -> datetime:
        return self._opened + timedelta(seconds=self.monotonic_s())

    def close(self) -> None:
        """Nothing to do: the gun goes on."""


class VirtualBench:
    """Implements `Bench`."""

    def __init__(self, syringe: str, needle: str, one_point: bool, seed: int) -> None:
        """Fit `syringe` and `needle` and power up a new gun."""
        simulation = Simulation(
            get_syringe(syringe),
            get_needle(needle),
            seed=seed,
            speed=None,
            new_point_each_shot=not one_point,
        )
        self._gun = VirtualTransport(simulation.settings(), _BOARD_ID)
        self._world = self._gun.world
        self._panel = self._gun.panel
        self._connections = 0
        self._runs: list[Run] = []
        self._forward = self._backward = 0
        self._world.scope = self._see

    def _see(self, run: Run) -> None:
        self._runs.append(run)
        if run.forward:
            self._forward += run.pulses
        else:
            self._backward += run.pulses

    def connect(self) -> _Cable:
        self._connections += 1
        return _Cable(self._gun, self._connections)

    def now_ns(self) -> int:
        return self._world.now_ns

    def run_for(self, seconds: float) -> None:
        self._world.run_unheard(self._world.now_ns + round(seconds * 1e9))

    def press(self) -> None:
        self._panel.trigger = True

    def release(self) -> None:
        self._panel.trigger = False

    def open_interlock(self) -> None:
        self._panel.interlock_closed = False

    def close_interlock(self) -> None:
        self._panel.interlock_closed = True

    def remove_syringe(self) -> None:
        self._panel.seated = False

    def seat_syringe(self) -> None:
        self._panel.seated = True

    def occlude(self) -> None:
        self._world.plant.occluded = True

    def clear_needle(self) -> None:
        self._world.plant.occluded = False

    def fail_supply(self) -> None:
        self._world.plant.faults.sag_supply(_FAILING_V)

    def restore_supply(self) -> None:
        self._world.plant.faults.restore_supply()

    def block_plunger(self) -> None:
        self._world.plant.remaining_nl = 0.0

    def free_plunger(self) -> None:
        self._world.plant.remaining_nl = self._world.plant.parameters.capacity_ml * 1e6

    def change_syringe(self, syringe: str) -> None:
        fitted = get_syringe(syringe)
        self._world.plant.load_syringe(fitted.inner_diameter_mm.value, fitted.capacity_ml.value)

    def cut_power(self, after_s: float = 0.0) -> None:
        if after_s:
            cut_ns = self._world.now_ns + round(after_s * 1e9)
            self._world.cut_power_at(cut_ns)
            self._world.run_unheard(cut_ns)
        else:
            self._world.cut_power()
        self._forward = self._backward = 0
        self._world.receive()

    def driver_on(self) -> bool:
        return self._world.stream.driver_on

    def steps(self) -> Steps:
        return Steps(self._forward, self._backward)

    def edges_since(self, at_ns: int) -> list[Edge]:
        return [
            Edge(edge_ns, run.forward)
            for run in self._runs
            if run.end_ns > at_ns
            for edge_ns in run.edges()
            if edge_ns > at_ns
        ]

    def delivered_nl(self) -> float:
        return self._world.plant.needle_nl

    def close(self) -> None:
        self._gun.forget()
