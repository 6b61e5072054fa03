"""The steps of a program as they go to the gun."""

from mesogun.catalog import Syringe, get_needle
from mesogun.errors import ProgramError
from mesogun.program.alarm import STAYS, with_alarms
from mesogun.program.model import Program
from mesogun.program.planned import PlannedStep, planned_steps
from mesogun.words import _


def compile_steps(program: Program, syringe: Syringe) -> list[PlannedStep]:
    """The steps of a program for the syringe that is fitted, each with its alarm.

    Args:
        program: a checked program.
        syringe: the one that the gun was told of.

    Raises:
        ProgramError: the program was checked for another syringe; brands of one size differ by up
            to 24 % in volume.
    """
    if syringe.id != program.syringe:
        raise ProgramError(
            _(
                '{origin}: syringe = "{syringe}", but {fitted} is fitted; brands differ by up '
                "to 24 % in dose. Fit {syringe}, or check the program again with `--syringe "
                "{fitted}`."
            ).format(origin=program.origin.label, syringe=program.syringe, fitted=syringe.id)
        )
    needle = get_needle(program.needle)
    stays = program.technique == STAYS
    steps = planned_steps(program)
    return with_alarms(steps, syringe, needle, program.viscosity_mpa_s, stays)
