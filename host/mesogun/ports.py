"""A port as a person names it -> an open transport: `sim`, `rp2040`, `auto` or a serial URL."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesogun.catalog import Needle, Syringe
from mesogun.errors import PortError
from mesogun.link import SerialTransport, Transport, find_gun
from mesogun.virtual.gun import VirtualGunSettings, VirtualTransport
from mesogun.virtual.plant_parameters import PlantParameters
from mesogun.words import _

if TYPE_CHECKING:
    from mesogun.emulated.gun import EmulatedTransport

SIM = "sim"
EMULATED = "rp2040"
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
    """Open `port`; `simulation` is asked only if it is `sim` or `rp2040`.

    Args:
        port: `sim` for a virtual gun, `rp2040` for the gun on an emulated RP2040, `auto` for the
            one gun that is connected, else a serial port or any URL that pyserial knows.
        simulation: what a virtual or emulated gun is to be.

    Raises:
        PortError: if there is no such port, no gun, more than one, or it is in use.
    """
    if port == SIM:
        return VirtualTransport(simulation().settings())
    if port == EMULATED:
        return open_emulated(simulation())
    if port == AUTO:
        return SerialTransport(find_gun().device)
    if not port:
        raise PortError(_("The port has no name. Give --port sim, --port auto or a serial port."))
    return SerialTransport(port)


def open_emulated(simulation: Simulation) -> "EmulatedTransport":
    """Open the emulated gun of this computer, whether there is firmware on it or not.

    Raises:
        PortError: if the emulator or an image of MicroPython is missing, or the gun is in use.
    """
    try:
        # Heavy, and an extra that not everybody installs.
        from mesogun.emulated.gun import EmulatedTransport, emulated_gun
        from mesogun.emulated.image import find_image
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("rp2040py"):
            raise
        raise PortError(
            _("The emulated RP2040 is not installed here: pip install 'mesogun[emulator]'.")
        ) from None
    return EmulatedTransport(simulation.settings(), find_image(), emulated_gun())
