"""What the benches in software have in common: a panel and a plant around a gun."""

from typing import Protocol

from benches.bench import Change, Line
from benches.cable import Cable
from mesogun.catalog import get_syringe
from mesogun.virtual.panel import Panel
from mesogun.virtual.plant import Plant
from mesogun.virtual.simulated import SimulatedTransport, SimulatedWorld

_FAILING_V = 6.0


class GunWorld(SimulatedWorld, Protocol):
    """A gun in its surroundings, whose time the bench moves."""

    panel: Panel
    plant: Plant

    def run_unheard(self, until_ns: int) -> None: ...
    def cut_power(self) -> None: ...
    def cut_power_at(self, at_ns: int) -> None: ...
    def listen(self, listening: bool) -> None: ...
    def unplug(self) -> None: ...
    def plug(self) -> None: ...
    def stop_processor(self, duration_ns: int) -> None: ...
    def lengthen_words(self, steps: int) -> None: ...


class SimulatedBench:
    """The part of `Bench` that is not about steps.

    Attributes:
        port: the gun's, in simulated time.
    """

    def __init__(self, port: SimulatedTransport, world: GunWorld) -> None:
        """Take a gun that is switched on; nothing has happened to it yet."""
        self.port = port
        self._gun_world = world
        self._panel = world.panel
        self._began_ns = world.now_ns
        self._hands: list[Change] = []
        self._connections = 0
        self._plugged = True

    def connect(self) -> Cable:
        self.plug()
        self._connections += 1
        return Cable(self.port, self._connections)

    def plug(self) -> None:
        """Do what `connect` does to the gun."""
        if not self._plugged:
            self._gun_world.plug()
            self._plugged = True
        self._gun_world.receive()

    def unplug(self) -> None:
        self._gun_world.unplug()
        self._plugged = False

    def stop_listening(self) -> None:
        self._gun_world.listen(False)

    def listen_again(self) -> None:
        self._gun_world.listen(True)

    def stop_processor(self, seconds: float) -> None:
        self._gun_world.stop_processor(round(seconds * 1e9))

    def lengthen_words(self, steps: int) -> None:
        self._gun_world.lengthen_words(steps)

    def now_ns(self) -> int:
        return self._gun_world.now_ns

    def run_for(self, seconds: float) -> None:
        self._gun_world.run_unheard(self._gun_world.now_ns + round(seconds * 1e9))

    def press(self) -> None:
        self._panel.trigger = True
        self._note(Line.TRIGGER, True)

    def release(self) -> None:
        self._panel.trigger = False
        self._note(Line.TRIGGER, False)

    def open_interlock(self) -> None:
        self._panel.interlock_closed = False
        self._note(Line.INTERLOCK, False)

    def close_interlock(self) -> None:
        self._panel.interlock_closed = True
        self._note(Line.INTERLOCK, True)

    def remove_syringe(self) -> None:
        self._panel.seated = False

    def seat_syringe(self) -> None:
        self._panel.seated = True

    def occlude(self) -> None:
        self._gun_world.plant.occluded = True

    def clear_needle(self) -> None:
        self._gun_world.plant.occluded = False

    def fail_supply(self) -> None:
        self._gun_world.plant.faults.sag_supply(_FAILING_V)

    def restore_supply(self) -> None:
        self._gun_world.plant.faults.restore_supply()

    def block_plunger(self) -> None:
        self._gun_world.plant.remaining_nl = 0.0

    def free_plunger(self) -> None:
        plant = self._gun_world.plant
        plant.remaining_nl = plant.parameters.capacity_ml * 1e6

    def change_syringe(self, syringe: str) -> None:
        fitted = get_syringe(syringe)
        self._gun_world.plant.load_syringe(fitted.inner_diameter_mm.value, fitted.capacity_ml.value)

    def cut_power(self, after_s: float = 0.0) -> None:
        world = self._gun_world
        if after_s:
            cut_ns = world.now_ns + round(after_s * 1e9)
            world.cut_power_at(cut_ns)
            world.run_unheard(cut_ns)
        else:
            world.cut_power()
        world.receive()

    def changes(self) -> list[Change]:
        begin = [Change(self._began_ns, line, line is Line.INTERLOCK) for line in Line]
        return begin + sorted(self._hands + self._driven(), key=lambda change: change.at_ns)

    def _driven(self) -> list[Change]:
        """What the gun did on its own lines."""
        raise NotImplementedError

    def _note(self, line: Line, high: bool) -> None:
        self._hands.append(Change(self._gun_world.now_ns, line, high))

    def delivered_nl(self) -> float:
        return self._gun_world.plant.needle_nl
