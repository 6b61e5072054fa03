"""A port as a person names it -> an open transport: `sim`, `auto` or a serial port or URL."""

from collections.abc import Callable
from dataclasses import dataclass

from mesogun.catalog import Needle, Syringe
from mesogun.errors import PortError
from mesogun.link import SerialTransport, Transport, find_gun
from mesogun.virtual.gun import VirtualGunSettings, VirtualTransport
from mesogun.virtual.plant_parameters import PlantParameters

SIM = "sim"
AUTO = "auto"


@dataclass(frozen=True)
class Simulation:
    """How a virtual gun is to be simulated, in the user's words; see `VirtualGunSettings`.

    Attributes:
        syringe: what is fitted.
        needle: what is on it.
        viscosity_mpa_s: of the liquid.
        new_point_each_shot: False if the needle stays in one place, as in mesoperfusion.
        seed: draws everything that is left to chance.
        speed: simulated seconds a second, None for as fast as it goes.
        auto_trigger: a virtual operator works the trigger.
    """

    syringe: Syringe
    needle: Needle
    viscosity_mpa_s: float = 1.0
    new_point_each_shot: bool = True
    seed: int = 0
    speed: float | None = 1.0
    auto_trigger: bool = False

    def settings(self) -> VirtualGunSettings:
        """Return the same in figures."""
        plant = PlantParameters.for_syringe_and_needle(
            inner_diameter_mm=self.syringe.inner_diameter_mm.value,
            capacity_ml=self.syringe.capacity_ml.value,
            needle_bore_mm=self.needle.bore_mm.value,
            needle_length_mm=self.needle.length_mm.value,
            viscosity_mpa_s=self.viscosity_mpa_s,
        )
        return VirtualGunSettings(
            plant, self.seed, self.speed, self.auto_trigger, self.new_point_each_shot
        )


def open_port(port: str, simulation: Callable[[], Simulation]) -> Transport:
    """Open `port`; `simulation` is asked only if it is `sim`.

    Args:
        port: `sim` for a virtual gun, `auto` for the one gun that is connected, else a serial port
            or any URL that pyserial knows.
        simulation: what a virtual gun is to be.

    Raises:
        PortError: if there is no such port, no gun, more than one, or it is in use.
    """
    if port == SIM:
        return VirtualTransport(simulation().settings())
    if port == AUTO:
        return SerialTransport(find_gun().device)
    if not port:
        raise PortError("The port has no name. Give --port sim, --port auto or a serial port.")
    return SerialTransport(port)
