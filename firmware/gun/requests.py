"""The host's requests, one method each: bytes in, the controller's answer out.

An if chain rather than a table of methods: it runs from flash, a dict would stay in RAM.
"""

from binascii import crc32

from gun import wire
from gun.link import Refusal
from gun.program import ProgramRefused

VERSION = (0, 1, 0)
_PROGRAM_BYTES = wire.SIZE_PROGRAM_HEADER + wire.PROGRAM_STEPS_MAX * wire.SIZE_PROGRAM_STEP


class Requests:
    """Carries each request to the controller and packs the reply."""

    def __init__(self, controller, build):
        self._gun = controller
        self._build = build
        self._upload = bytearray(_PROGRAM_BYTES)
        self._upload_view = memoryview(self._upload)
        self._size = 0
        self._crc = 0
        self._complete = False

    def handle(self, message, body, start, length, out, at):
        """Carry out `message`, `length` bytes of `body`; pack the reply at `at`, return its end.

        What nobody foresaw is a fault of the gun, in which the driver is off. The host that waits
        is told so, and a STOP is confirmed.
        """
        try:
            return self._carry_out(message, body, start, length, out, at)
        except (Refusal, wire.WireError):
            raise
        except Exception as error:  # noqa: BLE001 (see above)
            self._gun.collapse(error)
        if message == wire.MSG_STOP:
            return at
        raise Refusal(wire.ERROR_FAULT_LATCHED, 0, self._gun.fault, 0, 0)

    def _carry_out(self, message, body, start, length, out, at):  # noqa: PLR0911 (one a message)
        gun = self._gun
        if message == wire.MSG_STATUS:
            wire.unpack_status(body, start, length)
            return self._status(out, at)
        if message == wire.MSG_PING:
            (token,) = wire.unpack_ping(body, start, length)
            return wire.pack_ping_reply(out, at, token, gun.machine.clock_ms)
        if message == wire.MSG_HELLO:
            return self._hello(out, at)
        if message == wire.MSG_READ_RECORDS:
            sequence, count = wire.unpack_read_records(body, start, length)
            return self._records(out, at, sequence, count)
        if message == wire.MSG_TRIGGER_STATE:
            wire.unpack_trigger_state(body, start, length)
            held_ms = gun.inputs.held_ms(gun.machine.clock_ms)
            return wire.pack_trigger_state_reply(
                out, at, gun.inputs.pressed, gun.inputs.presses, held_ms
            )
        if message == wire.MSG_GET_LIMITS:
            wire.unpack_get_limits(body, start, length)
            return wire.pack_get_limits_reply(
                out, at, gun.limits.session_nl, gun.limits.shot_nl, gun.limits.shots
            )
        if message == wire.MSG_READ_CONFIG:
            (key,) = wire.unpack_read_config(body, start, length)
            config = gun.config
            return wire.pack_read_config_reply(
                out, at, key, config.get(key), config.minimum(key), config.maximum(key)
            )
        if message == wire.MSG_PROGRAM_READ:
            offset, count = wire.unpack_program_read(body, start, length)
            return self._read_back(out, at, offset, count)
        if message == wire.MSG_PROGRAM_COMMIT:
            (crc,) = wire.unpack_program_commit(body, start, length)
            return self._commit(out, at, crc)
        self._act(message, body, start, length)
        return at

    def _act(self, message, body, start, length):  # noqa: C901 (one branch a message)
        """The requests whose reply is empty."""
        gun = self._gun
        if message == wire.MSG_STOP:
            wire.unpack_stop(body, start, length)
            gun.stop()
        elif message == wire.MSG_PAUSE:
            wire.unpack_pause(body, start, length)
            gun.pause()
        elif message == wire.MSG_RESUME:
            gun.resume(*wire.unpack_resume(body, start, length))
        elif message == wire.MSG_START:
            gun.start(*wire.unpack_start(body, start, length))
        elif message == wire.MSG_ARM:
            gun.arm(*wire.unpack_arm(body, start, length))
        elif message == wire.MSG_DISARM:
            wire.unpack_disarm(body, start, length)
            gun.disarm()
        elif message == wire.MSG_PRIME:
            gun.prime(*wire.unpack_prime(body, start, length))
        elif message == wire.MSG_CLEAR_FAULT:
            gun.clear_fault(*wire.unpack_clear_fault(body, start, length))
        elif message == wire.MSG_LOAD_SYRINGE:
            gun.load_syringe(*wire.unpack_load_syringe(body, start, length))
        elif message == wire.MSG_UNLOAD_SYRINGE:
            wire.unpack_unload_syringe(body, start, length)
            gun.unload_syringe()
        elif message == wire.MSG_SET_LIMITS:
            gun.set_limits(*wire.unpack_set_limits(body, start, length))
        elif message == wire.MSG_WRITE_CONFIG:
            gun.write_config(*wire.unpack_write_config(body, start, length))
        elif message == wire.MSG_PROGRAM_BEGIN:
            self._begin(*wire.unpack_program_begin(body, start, length))
        elif message == wire.MSG_PROGRAM_CHUNK:
            offset, data = wire.unpack_program_chunk(body, start, length)
            self._chunk(offset, data)
        elif message == wire.MSG_ACKNOWLEDGE_RECORDS:
            (sequence,) = wire.unpack_acknowledge_records(body, start, length)
            if sequence > gun.journal.next:
                raise Refusal(wire.ERROR_OUT_OF_RANGE, 0, sequence, 0, gun.journal.next)
            gun.journal.acknowledge(sequence, gun.machine.clock_ms)
        else:
            raise Refusal(wire.ERROR_UNKNOWN_MESSAGE, 0, message, 0, 0)

    def _hello(self, out, at):
        gun = self._gun
        config = gun.config
        return wire.pack_hello_reply(
            out,
            at,
            wire.PROTOCOL_VERSION,
            wire.SCHEMA_HASH,
            *VERSION,
            self._build,
            gun.machine.board_id,
            gun.journal.boot_id,
            gun.machine.clock_ms,
            gun.machine.reset_cause,
            config.get(wire.CONFIG_BOARD_REVISION),
            wire.TICK_NS,
            config.get(wire.CONFIG_LEAD_NM),
            config.get(wire.CONFIG_STEPS_PER_TURN),
            config.get(wire.CONFIG_MAX_STEP_RATE_HZ),
            gun.journal.capacity,
            wire.FRAME_BODY_MAX,
        )

    def _status(self, out, at):
        gun = self._gun
        sequencer = gun.sequencer
        held = gun.program
        step = sequencer.step if held is not None else 0
        pulse = gun.machine.pulse
        return wire.pack_status_reply(
            out,
            at,
            gun.state,
            gun.fault,
            gun.fault_detail,
            gun.machine.inputs,
            gun.machine.clock_ms,
            gun.session_id,
            gun.program_crc,
            step,
            held.steps[step].kind if held is not None else 0,
            sequencer.consumed,
            held.steps[step].count if held is not None else 0,
            sequencer.shots_done,
            held.shots if held is not None else 0,
            sequencer.delivered_so_far(),
            sequencer.primed_steps,
            pulse.forward_steps,
            pulse.backward_steps,
            gun.syringe.pl_per_step,
            gun.syringe.remaining_nl(),
            gun.gauge.pressure_pa,
            gun.inputs.presses,
            gun.journal.next,
            gun.journal.acknowledged,
            gun.journal.free_records,
            gun.journal.chain.next,
            gun.journal.chain.digest,
            gun.light,
        )

    def _records(self, out, at, sequence, count):
        journal = self._gun.journal
        # The tail's length stands behind the two fixed numbers.
        data = at + wire.SIZE_READ_RECORDS_REPLY
        size = journal.read(sequence, count, out, data)
        return wire.pack_read_records_reply(
            out, at, journal.oldest, journal.next, memoryview(out)[data : data + size]
        )

    def _begin(self, size, crc):
        gun = self._gun
        gun.may_upload()
        gun.drop_program()
        self._size = size
        self._crc = crc
        self._complete = False
        for index in range(size):
            self._upload[index] = 0

    def _chunk(self, offset, data):
        self._gun.may_upload()
        if self._complete or not self._size:
            raise Refusal(wire.ERROR_PROGRAM_INCOMPLETE, 0, 0, 0, 0)
        if len(data) > wire.PROGRAM_CHUNK_BYTES or offset + len(data) > self._size:
            raise Refusal(wire.ERROR_OUT_OF_RANGE, 0, offset + len(data), 0, self._size)
        self._upload_view[offset : offset + len(data)] = data

    def _commit(self, out, at, crc):
        gun = self._gun
        gun.may_upload()
        view = self._upload_view[: self._size]
        if not self._size or crc != self._crc or crc32(view) != crc:
            raise Refusal(wire.ERROR_PROGRAM_CRC, 0, crc, crc32(view), crc32(view))
        try:
            accepted = gun.load_program(view, crc)
        except ProgramRefused as refused:
            raise Refusal(*refused.args) from None
        self._complete = True
        return wire.pack_program_commit_reply(
            out, at, accepted.shots, accepted.volume_nl, accepted.dose_steps, accepted.duration_ms
        )

    def _read_back(self, out, at, offset, count):
        if not self._complete or offset + count > self._size:
            raise Refusal(wire.ERROR_OUT_OF_RANGE, 0, offset + count, 0, self._size)
        return wire.pack_program_read_reply(
            out, at, offset, self._upload_view[offset : offset + count]
        )
