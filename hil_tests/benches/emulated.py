"""The bench around an emulated RP2040: the real MicroPython and firmware, the plant on its pins."""

from benches.bench import PATIENCE, Change, Edge, Line, Steps
from benches.simulated import SimulatedBench
from mesogun.emulated.world import EmulatedWorld
from mesogun.virtual.simulated import SimulatedTransport


class EmulatedBench(SimulatedBench):
    """Implements `Bench`, with the steps as they are on the pins."""

    patience = PATIENCE["rp2040"]
    boot_s = 1.0

    def __init__(self, world: EmulatedWorld) -> None:
        """Take a gun that is switched on; nothing has happened to it yet."""
        super().__init__(SimulatedTransport(world, speed=None), world)
        self._world = world

    def plug(self) -> None:
        self.run_for(max(0, self._world.port_ns - self._world.now_ns) / 1e9)
        super().plug()

    def driver_on(self) -> bool:
        return self._world.driver_on

    def steps(self) -> Steps:
        return Steps(self._world.forward_steps, self._world.backward_steps)

    def edges_since(self, at_ns: int) -> list[Edge]:
        return [Edge(step.ns, step.forward) for step in self._world.steps if step.ns > at_ns]

    def _driven(self) -> list[Change]:
        board = self._world.board
        high = {
            board.step: (Line.STEP, 1),
            board.direction: (Line.FORWARD, board.forward),
            board.enable: (Line.DRIVER, 0),
        }
        changes: list[Change] = []
        for edge in self._world.pico.edges:
            if edge.pin in high and edge.ns >= self._began_ns:
                line, active = high[edge.pin]
                changes.append(Change(edge.ns, line, edge.level == active))
        return changes

    def close(self) -> None:
        """Nothing to do: the gun ends with its process."""
