"""The bench in software: the real firmware in the simulated world."""

from benches.bench import PATIENCE, Change, Edge, Line, Steps
from benches.simulated import SimulatedBench
from mesogun.catalog import get_needle, get_syringe
from mesogun.ports import Simulation
from mesogun.virtual.gun import VirtualTransport
from mesogun.virtual.pulse_stream import Run
from mesogun_protocol.pulse import TICK_NS

_BOARD_ID = bytes.fromhex("0123456789abcdef")


class VirtualBench(SimulatedBench):
    """Implements `Bench`, with the steps of the pulse words that the firmware has queued."""

    patience = PATIENCE["virtual"]
    boot_s = 0.004

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
        super().__init__(self._gun, self._gun.world)
        self._world = self._gun.world
        self._runs: list[Run] = []
        self._forward = self._backward = 0
        self._driver: list[Change] = []
        self._world.scope = self._see
        self._world.on_driver = self._see_driver

    def _see(self, run: Run) -> None:
        self._runs.append(run)
        if run.forward:
            self._forward += run.pulses
        else:
            self._backward += run.pulses

    def _see_driver(self, at_ns: int, on: bool) -> None:
        self._driver.append(Change(at_ns, Line.DRIVER, on))

    def cut_power(self, after_s: float = 0.0) -> None:
        super().cut_power(after_s)
        self._forward = self._backward = 0

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

    def _driven(self) -> list[Change]:
        changes = list(self._driver)
        for run in self._runs:
            changes.append(Change(run.start_ns, Line.FORWARD, run.forward))
            for edge_ns in run.edges():
                changes.append(Change(edge_ns, Line.STEP, True))
                changes.append(Change(edge_ns + TICK_NS, Line.STEP, False))
        return changes

    def close(self) -> None:
        self._gun.forget()
