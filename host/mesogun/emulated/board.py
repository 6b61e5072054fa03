"""The pins of a board, read from the firmware's own board file."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesogun.errors import MesogunError


class BoardError(MesogunError):
    """A board file does not tell what the emulated board needs to know."""


@dataclass(frozen=True)
class Board:
    """What is soldered to which pin; GPIO numbers.

    Attributes:
        forward: level of DIR at which the plunger delivers.
        supply_full_scale_mv: motor supply at the largest reading of its converter.
        light: pins of red, green and blue.
    """

    step: int
    direction: int
    forward: int
    enable: int
    diag: int
    driver_uart: int
    driver_tx: int
    driver_rx: int
    interlock: int
    trigger: int
    seated: int
    light: tuple[int, int, int]
    buzzer: int
    force: int
    supply: int
    supply_full_scale_mv: int

    @classmethod
    def read(cls, path: Path) -> "Board":
        """Read a board file of the firmware: a module of plain assignments.

        Raises:
            BoardError: if a constant is missing or no number.
        """
        constants = _constants(path)

        def value(name: str) -> int:
            found = constants.get(name)
            if not isinstance(found, int):
                raise BoardError(
                    f"{path}: {name} is {'missing' if found is None else repr(found)}; the "
                    "emulated board needs it as a plain integer."
                )
            return found

        return cls(
            step=value("STEP_PIN"),
            direction=value("DIR_PIN"),
            forward=value("DIR_FORWARD"),
            enable=value("ENABLE_PIN"),
            diag=value("DIAG_PIN"),
            driver_uart=value("DRIVER_UART"),
            driver_tx=value("DRIVER_TX_PIN"),
            driver_rx=value("DRIVER_RX_PIN"),
            interlock=value("INTERLOCK_PIN"),
            trigger=value("TRIGGER_PIN"),
            seated=value("SEATED_PIN"),
            light=(value("LIGHT_RED_PIN"), value("LIGHT_GREEN_PIN"), value("LIGHT_BLUE_PIN")),
            buzzer=value("BUZZER_PIN"),
            force=value("FORCE_ADC_PIN"),
            supply=value("SUPPLY_ADC_PIN"),
            supply_full_scale_mv=value("SUPPLY_FULL_SCALE_MV"),
        )


def _constants(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in ast.parse(path.read_text(), str(path)).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue  # not a plain value; whoever needs it is told that it is missing
    return found
