"""A small gun for tests of link and gun: the protocol's side of the firmware and nothing below it.

It answers as the firmware must: replies are kept by request number, a number that goes back is an
old frame, nothing is taken before HELLO, each refusal names its bound. Its motion is a count of
steps, its journal a list.
"""

import zlib
from typing import Any

from mesogun_protocol import limits, messages
from mesogun_protocol.enums import (
    ConfigKey,
    ControllerState,
    EndReason,
    ErrorCode,
    EventKind,
    Fault,
    RecordKind,
    ResetCause,
    StepKind,
)
from mesogun_protocol.fields import MessageError
from mesogun_protocol.frame import Frame, FrameReader, encode_frame
from mesogun_protocol.records import DIGEST_NONE, STEP_NONE, encode_record, next_digest
from mesogun_protocol.schema import SCHEMA_HASH

State = ControllerState
IDLE = (State.UNLOADED, State.LOADED, State.READY, State.DONE)
NUMBERS = 1 << 16

_JOURNAL_RECORDS = limits.JOURNAL_SECTORS * 127 - 1
"""Slot 0 of each sector is its head, and one more is kept."""


class Refusal(Exception):
    """code, field, value, minimum, maximum."""


class FakeGun:
    """One board.

    `executed` lists name and number of each request that was carried out, `heard` every frame.
    """

    def __init__(self, *, schema_hash: int = SCHEMA_HASH, board_id: bytes = b"FAKEGUN1") -> None:
        self.schema_hash = schema_hash
        self.board_id = board_id
        self.boot_id = 0
        self.records: list[bytes] = []
        self.first_record = 0
        self.digest = DIGEST_NONE
        self.executed: list[tuple[str, int]] = []
        self.heard: list[Frame] = []
        self.flip_read_back = False
        self.wrong_volume_nl = 0
        self.config = {key: 100 + key for key in ConfigKey}
        self.restart(ResetCause.POWER_ON, 0)

    # What tests do to it

    def restart(self, cause: ResetCause, now_ms: int) -> None:
        """Start anew: all that is in RAM is gone."""
        self.boot_id += 1
        self._booted_ms = now_ms
        self._reader = FrameReader()
        self._agreed = False
        self._opening: int | None = None
        self._newest = 0
        self._cache: dict[int, bytes] = {}
        self._out: list[bytes] = []
        self.reset_cause = cause
        self.state = State.UNLOADED
        self.fault = Fault.NONE
        self.limits = {"session_nl": 0, "shot_nl": 0, "shots": 0}
        self.heard_ms = now_ms
        self.presses = 0
        self.forward_steps = 0
        self._fit(0, 0)
        self.session_id = 0
        self.record(RecordKind.BOOT, now_ms, **self._boot_body())

    def press(self, now_ms: int) -> None:
        """Press and release the trigger."""
        self.presses += 1
        if self.prime_nl:
            steps = self.prime_nl * 1000 // self.pl_per_step
            self.primed_steps += steps
            self.forward_steps += steps
            self.prime_nl = 0
            self.tell(EventKind.TRIGGER, now_ms, 0, self.presses)

    def fail(self, fault: Fault, now_ms: int) -> None:
        self.fault = fault
        self.prime_nl = 0
        self.record(
            RecordKind.FAULT, now_ms, detail=0, forward_steps=self.forward_steps, fault=fault
        )
        self.tell(EventKind.FAULT, now_ms, fault, 0)
        self.enter(State.FAULT, now_ms)

    # Time and bytes

    def due_ms(self) -> int | None:
        """When the next shot is over."""
        return self._shot_ms if self.state is State.RUNNING else None

    def tick(self, now_ms: int) -> None:
        while self.state is State.RUNNING and now_ms >= self._shot_ms:
            if self._shot_ms - self.heard_ms > limits.HEARTBEAT_TIMEOUT_MS:
                self.fail(Fault.HEARTBEAT_LOST, now_ms)
            else:
                self._shot(self._shot_ms)

    def take(self, data: bytes, now_ms: int) -> None:
        for frame in self._reader.feed(data):
            self.heard.append(frame)
            self.heard_ms = now_ms
            self._handle(frame, now_ms)

    def output(self) -> list[bytes]:
        """What was sent since the last call, a frame each."""
        out, self._out = self._out, []
        return out

    def clock_ms(self, now_ms: int) -> int:
        return (now_ms - self._booted_ms) % (1 << 32)

    def tell(self, kind: EventKind, now_ms: int, a: int, b: int) -> None:
        if self._agreed:
            body = messages.EVENT.build(kind=kind, clock_ms=self.clock_ms(now_ms), a=a, b=b)
            self._out.append(encode_frame(Frame(messages.EVENT.id, 0, body)))

    def record(self, kind: RecordKind, now_ms: int, **body: Any) -> None:
        number = self.first_record + len(self.records)
        time_ms = self.clock_ms(now_ms)
        raw = encode_record(number, self.boot_id, kind, STEP_NONE, time_ms, **body)
        self.records.append(raw)
        self.digest = next_digest(self.digest, raw)

    def enter(self, state: ControllerState, now_ms: int) -> None:
        if state is not self.state:
            previous, self.state = self.state, state
            self.record(RecordKind.STATE, now_ms, state=state, previous=previous)
            self.tell(EventKind.STATE, now_ms, state, previous)

    # Requests

    def _handle(self, frame: Frame, now_ms: int) -> None:
        if frame.request in self._cache and frame.message != messages.HELLO.id:
            self._out.append(self._cache[frame.request])
        elif self._is_new(frame):
            encoded = self._answer(frame, now_ms)
            self._cache[frame.request] = encoded
            while len(self._cache) > limits.REPLY_CACHE:
                del self._cache[next(iter(self._cache))]
            self._out.append(encoded)

    def _is_new(self, frame: Frame) -> bool:
        """Tell a request from an old frame, late or recorded, and begin a conversation at HELLO."""
        if frame.message == messages.HELLO.id:
            if frame.request != self._opening:
                self._opening = self._newest = frame.request
                self._cache.clear()
            return True
        if not self._agreed:
            return True  # and will be refused
        if not 0 < (frame.request - self._newest) % NUMBERS < NUMBERS // 2:
            return False
        self._newest = frame.request
        return True

    def _answer(self, frame: Frame, now_ms: int) -> bytes:
        answer = messages.REFUSED
        try:
            reply = self._carry_out(frame, now_ms)
            answer = messages.MESSAGES[frame.message | messages.REPLY_BIT]
        except MessageError:
            reply = self._refused(frame, ErrorCode.WRONG_LENGTH, 0, 0, 0, 0)
        except Refusal as refusal:
            reply = self._refused(frame, *refusal.args)
        return encode_frame(Frame(answer.id, frame.request, answer.build(**reply)))

    def _carry_out(self, frame: Frame, now_ms: int) -> dict[str, Any]:
        message = messages.MESSAGES.get(frame.message)
        if message not in messages.REQUESTS:
            raise Refusal(ErrorCode.UNKNOWN_MESSAGE, 0, frame.message, 0, 0)
        fields = message.parse(frame.body)
        if message is messages.HELLO:
            self._agreed = fields["schema_hash"] == self.schema_hash
        elif not self._agreed:
            raise Refusal(ErrorCode.SCHEMA_MISMATCH, 0, 0, 0, 0)
        reply = getattr(self, f"_{message.name}")(now_ms, **fields) or {}
        self.executed.append((message.name, frame.request))
        return reply

    @staticmethod
    def _refused(frame: Frame, *args: int) -> dict[str, Any]:
        names = ("request", "code", "field", "value", "minimum", "maximum")
        return dict(zip(names, (frame.message, *args), strict=True))

    def _only_in(self, *states: ControllerState) -> None:
        if self.state not in states:
            raise Refusal(ErrorCode.WRONG_STATE, 0, self.state, 0, 0)

    def _only_session(self, session_id: int) -> None:
        if session_id != self.session_id:
            known = self.session_id
            raise Refusal(ErrorCode.PROGRAM_MISMATCH, 0, session_id, known, known)

    def _hello(self, now_ms: int, **_: int) -> dict[str, Any]:
        return {
            "protocol_version": limits.PROTOCOL_VERSION,
            "schema_hash": self.schema_hash,
            "firmware_major": 1,
            "firmware_minor": 2,
            "firmware_patch": 3,
            "build": 0xC0FFEE,
            "board_id": self.board_id,
            "boot_id": self.boot_id,
            "clock_ms": self.clock_ms(now_ms),
            "reset_cause": self.reset_cause,
            "board_revision": 1,
            "tick_ns": 200,
            "lead_nm": 800_000,
            "steps_per_turn": 3200,
            "max_step_rate_hz": 25_000,
            "journal_records": _JOURNAL_RECORDS,
            "frame_body_max": limits.FRAME_BODY_MAX,
        }

    def _ping(self, now_ms: int, token: int) -> dict[str, Any]:
        return {"token": token, "clock_ms": self.clock_ms(now_ms)}

    def _status(self, now_ms: int) -> dict[str, Any]:
        step = self.steps[self.step_index] if self.steps else None
        next_record = self.first_record + len(self.records)
        position_nl = (self.primed_steps + self.delivered_steps) * self.pl_per_step // 1000
        return {
            "state": self.state,
            "fault": self.fault,
            "fault_detail": 0,
            "inputs": 0b1110,
            "clock_ms": self.clock_ms(now_ms),
            "session_id": self.session_id,
            "program_crc": self.program_crc,
            "step_index": self.step_index,
            "step_kind": step["kind"] if step else 0,
            "step_shots_done": self.step_shots_done,
            "step_shots": step["count"] if step else 0,
            "shots_done": self.shots_done,
            "shots_planned": self.shots_planned,
            "delivered_steps": self.delivered_steps,
            "primed_steps": self.primed_steps,
            "total_forward_steps": self.forward_steps,
            "total_backward_steps": 0,
            "pl_per_step": self.pl_per_step,
            "remaining_nl": self.volume_nl - position_nl,
            "pressure_pa": 0,
            "presses": self.presses,
            "journal_next": next_record,
            "journal_acknowledged": self.first_record,
            "journal_free": _JOURNAL_RECORDS - len(self.records),
            "journal_hashed": next_record,
            "journal_digest": self.digest,
            "light": 0,
        }

    def _trigger_state(self, _: int) -> dict[str, Any]:
        return {"pressed": 0, "presses": self.presses, "held_ms": 0}

    def _load_syringe(
        self,
        now_ms: int,
        pl_per_step: int,
        volume_nl: int,
        pressure_limit_kpa: int,
        calibration_id: int,
        closed_pa: int,
    ) -> None:
        self._only_in(*IDLE)
        self._fit(pl_per_step, volume_nl)
        self.record(
            RecordKind.SYRINGE,
            now_ms,
            pl_per_step=pl_per_step,
            volume_nl=volume_nl,
            calibration_id=calibration_id,
            pressure_limit_kpa=pressure_limit_kpa,
            closed_pa=closed_pa,
        )
        self.enter(State.LOADED, now_ms)

    def _unload_syringe(self, now_ms: int) -> None:
        self._only_in(*IDLE)
        self._fit(0, 0)
        self.enter(State.UNLOADED, now_ms)

    def _set_limits(self, _: int, **values: int) -> None:
        self._only_in(*IDLE)
        self.limits = values

    def _get_limits(self, _: int) -> dict[str, Any]:
        return self.limits

    def _read_config(self, _: int, key: ConfigKey) -> dict[str, Any]:
        return {"key": key, "value": self.config[key], "minimum": 0, "maximum": 1000}

    def _write_config(self, _: int, key: ConfigKey, value: int) -> None:
        if value > 1000:
            raise Refusal(ErrorCode.OUT_OF_RANGE, 1, value, 0, 1000)
        self.config[key] = value

    def _prime(self, _: int, dose_nl: int, inject_us: int) -> None:
        self._only_in(State.LOADED, State.READY, State.DONE)
        if self.prime_nl:
            raise Refusal(ErrorCode.WRONG_STATE, 0, self.state, 0, 0)
        if dose_nl > self.limits["shot_nl"]:
            raise Refusal(ErrorCode.OVER_LIMIT, 0, dose_nl, 0, self.limits["shot_nl"])
        self.prime_nl, self.prime_us = dose_nl, inject_us

    def _program_begin(self, _: int, size: int, crc: int) -> None:
        self._only_in(State.LOADED, State.READY, State.DONE)
        self._drop_program()
        self._upload, self._upload_crc = bytearray(size), crc
        self.state = State.LOADED

    def _program_chunk(self, _: int, offset: int, data: bytes) -> None:
        self._upload[offset : offset + len(data)] = data

    def _program_commit(self, now_ms: int, crc: int) -> dict[str, Any]:
        if not crc == self._upload_crc == zlib.crc32(self._upload):
            raise Refusal(ErrorCode.PROGRAM_CRC, 0, crc, self._upload_crc, self._upload_crc)
        head, step = messages.PROGRAM_HEADER, messages.PROGRAM_STEP
        at, size = head.body.sizeof(), step.body.sizeof()
        header = head.parse(bytes(self._upload[:at]))
        steps = [
            step.parse(bytes(self._upload[at + n * size : at + (n + 1) * size]))
            for n in range(header["steps"])
        ]
        for number, fields in enumerate(steps):
            if fields["dose_nl"] > self.limits["shot_nl"]:
                most = self.limits["shot_nl"]
                raise Refusal(ErrorCode.OVER_LIMIT, number * 16 + 4, fields["dose_nl"], 0, most)
        self.steps, self.program_crc = steps, crc
        delivering = [s for s in steps if s["kind"] in (StepKind.SHOTS, StepKind.FLOW)]
        self.shots_planned = sum(s["count"] for s in delivering)
        self.enter(State.READY, now_ms)
        return {
            "shots": self.shots_planned,
            "volume_nl": header["total_nl"] + self.wrong_volume_nl,
            "steps": header["total_nl"] * 1000 // self.pl_per_step,
            "duration_ms": sum(s["count"] * s["period_us"] for s in steps) // 1000,
        }

    def _program_read(self, _: int, offset: int, length: int) -> dict[str, Any]:
        data = bytearray(self._upload[offset : offset + length])
        if self.flip_read_back:
            data[0] ^= 1
        return {"offset": offset, "data": bytes(data)}

    def _arm(self, now_ms: int, session_id: int, program_crc: int) -> None:
        self._only_in(State.READY, State.DONE)
        if program_crc != self.program_crc:
            known = self.program_crc
            raise Refusal(ErrorCode.PROGRAM_MISMATCH, 1, program_crc, known, known)
        self.session_id = session_id
        self.enter(State.ARMED, now_ms)

    def _disarm(self, now_ms: int) -> None:
        self._only_in(State.ARMED)
        self.enter(State.READY, now_ms)

    def _start(self, now_ms: int, session_id: int) -> None:
        self._only_in(State.ARMED)
        self._only_session(session_id)
        self.step_index = self.step_shots_done = self.shots_done = self.delivered_steps = 0
        self.enter(State.RUNNING, now_ms)
        self._enter_step(now_ms)

    def _pause(self, now_ms: int) -> None:
        self._only_in(State.RUNNING)
        self.enter(State.PAUSED, now_ms)

    def _resume(self, now_ms: int, session_id: int) -> None:
        self._only_in(State.PAUSED)
        self._only_session(session_id)
        self.enter(State.RUNNING, now_ms)
        if self.steps[self.step_index]["kind"] is StepKind.PAUSE:
            self._next_step(now_ms)
        else:
            self._enter_step(now_ms)

    def _stop(self, now_ms: int) -> None:
        self.prime_nl = 0
        if self.state is State.ARMED:
            self.enter(State.READY, now_ms)
        elif self.state in (State.RUNNING, State.PAUSED):
            self.enter(State.DONE, now_ms)

    def _clear_fault(self, now_ms: int, fault: Fault) -> None:
        self._only_in(State.FAULT)
        if fault is not self.fault:
            raise Refusal(ErrorCode.OUT_OF_RANGE, 0, fault, self.fault, self.fault)
        self.fault = Fault.NONE
        self.enter(State.READY, now_ms)

    def _read_records(self, _: int, sequence: int, count: int) -> dict[str, Any]:
        begin = max(0, sequence - self.first_record)
        return {
            "oldest": self.first_record,
            "next": self.first_record + len(self.records),
            "data": b"".join(self.records[begin : begin + count]),
        }

    def _acknowledge_records(self, _: int, sequence: int) -> None:
        free = max(0, sequence - self.first_record)
        del self.records[:free]
        self.first_record += free

    # Motion, as a count

    def _fit(self, pl_per_step: int, volume_nl: int) -> None:
        self.pl_per_step, self.volume_nl = pl_per_step, volume_nl
        self.primed_steps = self.delivered_steps = self.prime_nl = 0
        self._drop_program()

    def _drop_program(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self.program_crc = self.shots_planned = 0
        self.step_index = self.step_shots_done = self.shots_done = 0
        self._shot_ms = 0

    def _enter_step(self, now_ms: int) -> None:
        step = self.steps[self.step_index]
        if step["kind"] is StepKind.PAUSE:
            self.enter(State.PAUSED, now_ms)
        else:
            self._shot_ms = now_ms + max(step["period_us"], step["inject_us"]) // 1000

    def _next_step(self, now_ms: int) -> None:
        if self.step_index + 1 == len(self.steps):
            self.enter(State.DONE, now_ms)
            return
        self.step_index += 1
        self.step_shots_done = 0
        self._enter_step(now_ms)

    def _shot(self, now_ms: int) -> None:
        step = self.steps[self.step_index]
        steps = step["dose_nl"] * 1000 // self.pl_per_step
        self.delivered_steps += steps
        self.forward_steps += steps
        self.tell(EventKind.SHOT, now_ms, self.shots_done, EndReason.COMPLETE)
        self.shots_done += 1
        self.step_shots_done += 1
        if self.step_shots_done == step["count"]:
            self._next_step(now_ms)
        else:
            self._enter_step(now_ms)

    def _boot_body(self) -> dict[str, Any]:
        return {
            "build": 0xC0FFEE,
            "schema_hash": self.schema_hash,
            "reset_cause": self.reset_cause,
            "firmware_major": 1,
            "firmware_minor": 2,
            "firmware_patch": 3,
        }
