"""Program files: what they say, whether it can be run, what it takes, and what the gun gets.

`resolve` turns what a person typed into a checked `Program`; `check` lists its soft problems, which
need a confirmation; `estimate` tells what it takes; `compile_steps` makes the integers for the gun.
"""

from mesogun.program.alarm import STAYS
from mesogun.program.checks import check
from mesogun.program.compiled import compile_steps
from mesogun.program.dump import dump_toml
from mesogun.program.estimate import Estimate, estimate
from mesogun.program.loads import loads, rest
from mesogun.program.model import (
    Area,
    FlowStep,
    Limits,
    PauseStep,
    PrimeStep,
    Program,
    ShotsStep,
    Step,
)
from mesogun.program.plan import plan, resolve
from mesogun.program.planned import PlannedStep, Volumes, shot_count, volumes
from mesogun.program.problems import InvalidProgram, Origin, Problem
from mesogun.program.read import checked, load

__all__ = [
    "STAYS",
    "Area",
    "Estimate",
    "FlowStep",
    "InvalidProgram",
    "Limits",
    "Origin",
    "PauseStep",
    "PlannedStep",
    "PrimeStep",
    "Problem",
    "Program",
    "ShotsStep",
    "Step",
    "Volumes",
    "check",
    "checked",
    "compile_steps",
    "dump_toml",
    "estimate",
    "load",
    "loads",
    "plan",
    "resolve",
    "rest",
    "shot_count",
    "volumes",
]
