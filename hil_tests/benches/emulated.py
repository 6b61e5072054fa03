"""The bench around an emulated RP2040: the real MicroPython and firmware, the plant on its pins."""

from benches.bench import Edge, Steps
from benches.simulated import SimulatedBench
from mesogun.emulated.world import EmulatedWorld
from mesogun.virtual.simulated import SimulatedTransport


class EmulatedBench(SimulatedBench):
    """Implements `Bench`, with the steps as they are on the pins."""

    def __init__(self, world: EmulatedWorld) -> None:
        """Take a gun that is switched on; nothing has happened to it yet."""
        super().__init__(SimulatedTransport(world, speed=None), world)
        self._world = world

    def driver_on(self) -> bool:
        return self._world.driver_on

    def steps(self) -> Steps:
        return Steps(self._world.forward_steps, self._world.backward_steps)

    def edges_since(self, at_ns: int) -> list[Edge]:
        return [Edge(step.ns, step.forward) for step in self._world.steps if step.ns > at_ns]

    def close(self) -> None:
        """Nothing to do: the gun ends with its process."""
