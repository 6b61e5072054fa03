"""What an uploaded program allows, worked out from its bytes and not by the firmware's code."""

import zlib
from dataclasses import dataclass
from typing import Any

from mesogun_protocol.enums import StepKind
from mesogun_protocol.messages import PROGRAM_HEADER, PROGRAM_STEP


@dataclass(frozen=True)
class Uploaded:
    """A program as it lies in the gun, in volumes.

    Attributes:
        parts_nl: shots, flows and films with the primes among them, from one pause to the next.
        prime_nl: all primes.
        to_and_fro_nl: what each shot of a step moves to and fro beside its dose, with how many
            shots there are of it.
        early_nl: most that a shot pushes early and takes back.
    """

    parts_nl: tuple[int, ...]
    prime_nl: int
    to_and_fro_nl: tuple[tuple[int, int], ...]
    early_nl: int

    def dose_steps(self, pl_per_step: int) -> list[int]:
        """Most steps that push liquid out before the first pause, and after each pause.

        One more than the volume has may have been owed.
        """
        return [part_nl * 1000 // pl_per_step + 1 for part_nl in self.parts_nl]

    def forward_steps(self, pl_per_step: int) -> int:
        """Most steps forward, with those that are taken back and those that are taken up again."""
        more = sum(nl * 1000 // pl_per_step * count for nl, count in self.to_and_fro_nl)
        return sum(self.parts_nl) * 1000 // pl_per_step + 1 + more


class Uploads:
    """The upload buffer of one boot of the gun."""

    def __init__(self) -> None:
        """Begin without a program."""
        self._bytes = bytearray()
        self._held: dict[int, Uploaded] = {}

    def begin(self, size: int) -> None:
        """An upload of `size` bytes begins."""
        self._bytes = bytearray(size)

    def write(self, offset: int, data: bytes) -> None:
        """A part of it has come."""
        self._bytes[offset : offset + len(data)] = data

    def commit(self, crc: int) -> None:
        """The gun has accepted what it holds as the program of this CRC."""
        if zlib.crc32(self._bytes) == crc:
            self._held[crc] = _read(bytes(self._bytes))

    def held(self, crc: int) -> Uploaded | None:
        """Return the program of this CRC, None if the gun has never accepted one."""
        return self._held.get(crc)


def _read(program: bytes) -> Uploaded:
    head, size = PROGRAM_HEADER.body.sizeof(), PROGRAM_STEP.body.sizeof()
    steps = [PROGRAM_STEP.parse(program[at : at + size]) for at in range(head, len(program), size)]
    parts_nl = [0]
    for step in steps:
        if step["kind"] is StepKind.PAUSE:
            parts_nl.append(0)
        parts_nl[-1] += _dose_nl(step)
    moving = [step for step in steps if step["retract_nl"] + step["stored_nl"]]
    return Uploaded(
        tuple(parts_nl),
        sum(step["dose_nl"] for step in steps if step["kind"] is StepKind.PRIME),
        tuple((step["retract_nl"] + step["stored_nl"], step["count"]) for step in moving),
        max((step["stored_nl"] for step in moving), default=0),
    )


def _dose_nl(step: dict[str, Any]) -> int:
    films = step["count"] // step["film_every"] if step["film_every"] else 0
    return step["count"] * step["dose_nl"] + films * step["film_nl"]
