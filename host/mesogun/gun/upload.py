"""Brings a program into the gun and makes sure that the gun holds that and no other (R36)."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mesogun.errors import GunRefused, ProgramError
from mesogun.link import Link
from mesogun_protocol.enums import OnRelease, StepKind, TriggerMode
from mesogun_protocol.fields import MessageError
from mesogun_protocol.limits import PROGRAM_CHUNK_BYTES, PROGRAM_STEPS_MAX
from mesogun_protocol.messages import (
    PROGRAM_BEGIN,
    PROGRAM_CHUNK,
    PROGRAM_COMMIT,
    PROGRAM_HEADER,
    PROGRAM_READ,
    PROGRAM_STEP,
)
from mesogun_protocol.rows import fields_of

_STEP_FIELDS = tuple(field.name for field in fields_of(PROGRAM_STEP))
_DELIVERING = (StepKind.SHOTS, StepKind.FLOW)


class ProgramStep(Protocol):
    """One step as the gun takes it; any object with these attributes will do.

    Bounds are those of PROGRAM_STEP in `mesogun_protocol.messages`.
    """

    @property
    def kind(self) -> StepKind:
        """What the step does."""
        ...

    @property
    def trigger(self) -> TriggerMode:
        """Who starts its shots."""
        ...

    @property
    def on_release(self) -> OnRelease:
        """What a release does in hold mode."""
        ...

    @property
    def count(self) -> int:
        """Shots; 1 for flow, pause and prime."""
        ...

    @property
    def dose_nl(self) -> int:
        """One shot, or the whole of a flow or a prime, nl; 0 for a pause."""
        ...

    @property
    def inject_us(self) -> int:
        """Time in which the dose is pushed, us; 0 for a pause."""
        ...

    @property
    def period_us(self) -> int:
        """Start of a shot to the start of the next, us; 0 unless shots."""
        ...

    @property
    def ramp_us(self) -> int:
        """Time to reach full speed and to leave it, us."""
        ...

    @property
    def retract_nl(self) -> int:
        """Pulled back after each shot and taken up before the next, nl."""
        ...

    @property
    def film_nl(self) -> int:
        """Delivered slowly between two shots, nl."""
        ...

    @property
    def film_every(self) -> int:
        """0 for no film, 1 after each shot, 2 after every second one."""
        ...

    @property
    def stored_nl(self) -> int:
        """What the pressure of the dose stores: pushed before it and taken back after it, nl."""
        ...

    @property
    def rise_kpa(self) -> int:
        """Most by which pressure rises beyond half of what a closed needle explains, kPa."""
        ...

    @property
    def limit_kpa(self) -> int:
        """Occlusion alarm of the step, kPa."""
        ...


@dataclass(frozen=True)
class UploadReceipt:
    """What the gun understood, after it was compared with what was meant.

    Attributes:
        program_crc: CRC-32 of the program; names it when arming.
        shots: shots that the gun will make, a flow counted as one.
        volume_nl: dose that it will deliver with its film, primes not counted, nl.
        steps: dose steps that it will make.
        duration_ms: time that it takes without waiting for a trigger, ms.
    """

    program_crc: int
    shots: int
    volume_nl: int
    steps: int
    duration_ms: int


class UploadMismatch(GunRefused):
    """The gun does not hold the program that was sent; it must not be armed."""


def upload(link: Link, steps: Sequence[ProgramStep]) -> UploadReceipt:
    """Send the program, let the gun check it, read it back and compare it byte by byte.

    Raises:
        ProgramError: if a step breaks a bound of the wire; nothing was sent.
        Refused: if the gun refused it; the gun holds no program.
        UploadMismatch: if the gun understood something else; do not arm.
        LinkError: if the gun stopped answering.
    """
    program = encode_program(steps)
    shots, volume_nl = totals(steps)
    crc = zlib.crc32(program)
    chunks = range(0, len(program), PROGRAM_CHUNK_BYTES)
    link.request(PROGRAM_BEGIN, size=len(program), crc=crc)
    for offset in chunks:
        data = program[offset : offset + PROGRAM_CHUNK_BYTES]
        link.request(PROGRAM_CHUNK, offset=offset, data=data)
    receipt = UploadReceipt(crc, **link.request(PROGRAM_COMMIT, crc=crc))
    held = b"".join(
        link.request(
            PROGRAM_READ, offset=offset, length=min(PROGRAM_CHUNK_BYTES, len(program) - offset)
        )["data"]
        for offset in chunks
    )
    if held != program:
        raise UploadMismatch(
            "The gun reads back another program than it was sent. Do not arm it: upload again, and "
            "have the gun serviced if this happens twice."
        )
    if (receipt.shots, receipt.volume_nl) != (shots, volume_nl):
        raise UploadMismatch(
            f"The gun would make {receipt.shots} shots of {receipt.volume_nl} nl in all, the "
            f"program asks for {shots} of {volume_nl} nl. Do not arm it: run `mesogun firmware "
            "verify`."
        )
    return receipt


def encode_program(steps: Sequence[ProgramStep]) -> bytes:
    """Return the bytes of a program: PROGRAM_HEADER and one PROGRAM_STEP for each step.

    Raises:
        ProgramError: if there are no steps, too many, or one breaks a bound of the wire.
    """
    if not 1 <= len(steps) <= PROGRAM_STEPS_MAX:
        raise ProgramError(
            f"A program has 1 to {PROGRAM_STEPS_MAX} steps (PROGRAM_STEPS_MAX), not {len(steps)}; "
            "split it into sessions or join steps."
        )
    _, total_nl = totals(steps)
    try:
        parts = [PROGRAM_HEADER.build(steps=len(steps), total_nl=total_nl)]
    except MessageError as error:
        raise ProgramError(f"The program as a whole: {error}; shorten it.") from None
    for number, step in enumerate(steps, 1):
        try:
            parts.append(PROGRAM_STEP.build(**{name: getattr(step, name) for name in _STEP_FIELDS}))
        except MessageError as error:
            raise ProgramError(f"Step {number}: {error}; correct it.") from None
    return b"".join(parts)


def totals(steps: Sequence[ProgramStep]) -> tuple[int, int]:
    """Return shots (a flow is one) and dose with film in nl, primes and pauses not counted."""
    delivering = [step for step in steps if step.kind in _DELIVERING]
    films_nl = sum(s.count // s.film_every * s.film_nl for s in delivering if s.film_every)
    return (
        sum(step.count for step in delivering),
        sum(step.count * step.dose_nl for step in delivering) + films_nl,
    )
