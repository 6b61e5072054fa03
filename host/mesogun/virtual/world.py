"""The world of a virtual gun: one clock for firmware, motion, physics and the person with the gun.

Time moves only while somebody waits: the firmware in WAIT or in a flash operation, and the host in
`run`. Everything happens in one thread in an order that the seed fixes, so a run can be repeated
exactly.
"""

import struct
from collections.abc import Callable
from typing import Any

from mesogun.virtual.firmware import Firmware
from mesogun.virtual.flash import NorFlash
from mesogun.virtual.panel import Operator, Panel
from mesogun.virtual.plant import Plant
from mesogun.virtual.pulse_stream import PulseStream, Run
from mesogun_protocol import cosim
from mesogun_protocol.enums import Buzzer, Inputs, Light, ResetCause
from mesogun_protocol.fields import Message

_MS_NS = 1_000_000

_PASS_NS = 100_000
"""Time that the firmware takes for one pass of its main loop. A round figure for a Pico at 125 MHz;
it keeps a firmware that would not sleep from stopping the world's clock."""

_STALLED = int(Inputs.STALLED)

_WATCHDOG_NS = 2_000 * _MS_NS
"""After so long without a pass of the main loop the firmware is reset (R18)."""

_DRIVER_BYTES = 256
"""What the serial driver of the firmware keeps for a host that does not listen."""

_RECEIVE_BYTES = 512
"""What the serial driver of the firmware hands over at once: the size of MicroPython's ring."""


class _Restart(Exception):
    """The gun starts anew, whatever the world was carrying out."""

    def __init__(self, cause: ResetCause) -> None:
        super().__init__(cause)
        self.cause = cause


class World:
    """One virtual gun in its surroundings.

    Args:
        plant: the physics from motor to needle.
        flash: the gun's flash.
        board_id: 8 bytes.
        panel: the inputs and lights.
        operator: who works the trigger of `panel`, None if somebody outside does.
        new_point_each_shot: the needle goes to fresh tissue for each shot, else it stays.
        trace: called with each message of the firmware and each answer, to debug or to watch.
        start: starts the firmware, at power-on and after each reset.

    Attributes:
        now_ns: simulated time since the world began.
        wakes: how often the firmware was woken.
        scope: called with each piece of motion on the STEP pin, as a logic analyser sees it.
        on_driver: called with the time and whether the driver is on, at each change.
    """

    def __init__(
        self,
        plant: Plant,
        flash: NorFlash,
        board_id: bytes,
        panel: Panel,
        operator: Operator | None = None,
        new_point_each_shot: bool = True,
        trace: Callable[[int, str, dict[str, Any]], None] | None = None,
        start: Callable[[], Firmware] = Firmware,
    ) -> None:
        """Power the gun up."""
        self.now_ns = 0
        self.stream = PulseStream()
        self.plant = plant
        self.flash = flash
        self.panel = panel
        self.board_id = board_id
        self._operator = operator
        self._new_point_each_shot = new_point_each_shot
        self._trace = trace
        plant.new_point()
        self.wakes = 0
        self.scope: Callable[[Run], None] | None = None
        self.on_driver: Callable[[int, bool], None] | None = None
        self._driver_on = False
        self._start = start
        self._restart: tuple[int, ResetCause] | None = None
        self._to_gun = bytearray()
        self._to_host = bytearray()
        self._plugged = self._listening = True
        self._power_up(ResetCause.POWER_ON)

    def cut_power(self) -> None:
        """Take the gun's power away in the middle of whatever it does, and give it back at once."""
        self._firmware.kill()
        self._power_up(ResetCause.POWER_ON)

    def cut_power_at(self, at_ns: int) -> None:
        """Do that at `at_ns`, also in the middle of a flash operation, which is then torn."""
        self._restart = at_ns, ResetCause.POWER_ON

    def reset_at(self, at_ns: int) -> None:
        """Let the watchdog reset the gun at `at_ns`; a flash operation comes to its end."""
        self._restart = at_ns, ResetCause.WATCHDOG

    def hang(self, until_ns: int) -> None:
        """Let nothing wake the firmware until then; motion goes on without it."""
        self._earliest_ns = max(self._earliest_ns, until_ns)

    def close(self) -> None:
        """End the firmware and close the flash."""
        self._firmware.kill()
        self.flash.close()

    def send(self, data: bytes) -> None:
        """Bytes from the host, as its serial driver sends them; without a cable they are lost."""
        if self._plugged:
            self._to_gun += data

    def receive(self) -> bytes:
        """Bytes for the host that have arrived so far."""
        data = bytes(self._to_host)
        self._to_host.clear()
        return data

    def listen(self, listening: bool) -> None:
        """Let the host's computer take bytes from the cable, or leave them in the gun."""
        self._listening = listening

    def unplug(self) -> None:
        """Pull the cable of the host; the gun has a supply of its own."""
        self._plugged = False

    def plug(self) -> None:
        """Push it in again: what was on its way is lost."""
        self._plugged = self._listening = True
        self._to_gun.clear()
        self._to_host.clear()

    def stop_processor(self, duration_ns: int) -> None:
        """Let time pass while the firmware does nothing, less if the watchdog resets it."""
        end_ns = self.now_ns + duration_ns
        reset_ns = self._passed_ns + _WATCHDOG_NS
        self.hang(end_ns)
        if reset_ns <= end_ns:
            self.reset_at(reset_ns)
        self.run_unheard(min(end_ns, reset_ns))

    def lengthen_words(self, steps: int) -> None:
        """Add `steps` to each run of pulses that is still in the firmware's memory."""
        self.stream.lengthen(self.now_ns, steps)

    def run(self, until_ns: int) -> None:
        """Let time pass until `until_ns`, or until there are bytes for the host."""
        self._run(until_ns, listening=True)

    def run_unheard(self, until_ns: int) -> None:
        """Let time pass until `until_ns`; bytes for the host wait until it listens again."""
        self._run(until_ns, listening=False)

    def _run(self, until_ns: int, listening: bool) -> None:
        self.stream.set_interlock(self.now_ns, not self.panel.interlock_closed)
        while not (listening and self._to_host):
            try:
                if self._must_wake():
                    self._wake()
                elif self.now_ns >= until_ns:
                    return
                else:
                    self._advance(min(self._next_ns(), until_ns))
            except _Restart as restart:
                self._power_up(restart.cause)

    def _power_up(self, cause: ResetCause) -> None:
        """Start the firmware, again if it does not come to its first rest."""
        while True:
            try:
                self._boot(cause)
                return
            except _Restart as restart:
                cause = restart.cause

    def _boot(self, cause: ResetCause) -> None:
        self.stream = PulseStream()
        self._blocks_done = 0
        self._boot_ns = self.now_ns
        self._cause = cause
        self._to_gun.clear()
        self.panel.light, self.panel.buzzer = Light.OFF, Buzzer.OFF
        self._reported = self.panel.inputs()
        self._look_at_driver(self.now_ns)
        self._firmware = self._start()
        self._requests = self._firmware.requests()
        self._serve()

    def _must_wake(self) -> bool:
        if self.now_ns < self._earliest_ns:
            return False
        return (
            bool(self._to_gun)
            or self.panel.inputs() != self._reported
            or self.plant.stallguard.diag
            or (self._deadline_ns is not None and self.now_ns >= self._deadline_ns)
        )

    def _next_ns(self) -> int:
        """When something happens next; a second from now if nothing does."""
        times = [self.now_ns + 1_000 * _MS_NS]
        if self.now_ns < self._earliest_ns:
            times.append(self._earliest_ns)
        if self._deadline_ns is not None:
            times.append(max(self._deadline_ns, self._earliest_ns))
        if self._operator is not None:
            hand_ns = self._operator.next_ns(self.now_ns)
            if hand_ns is not None:
                times.append(max(hand_ns, self.now_ns))
        return min(times)

    def _advance(self, to_ns: int) -> None:
        if self._restart is not None and self._restart[0] <= to_ns:
            (at_ns, cause), self._restart = self._restart, None
            self._advance(max(at_ns, self.now_ns))
            self._firmware.kill()
            raise _Restart(cause)
        self.now_ns = to_ns
        runs = self.stream.advance(to_ns)
        if self.scope is not None:
            for run in runs:
                self.scope(run)
        self._look_at_driver(max((run.end_ns for run in runs if run.driven), default=to_ns))
        self.plant.advance(to_ns, runs)
        if self.stream.blocks_done != self._blocks_done:
            self._blocks_done = self.stream.blocks_done
            if self._new_point_each_shot:
                self.plant.new_point()
        if self._operator is not None:
            self._operator.act(to_ns)
        self.stream.set_interlock(to_ns, not self.panel.interlock_closed)

    def _clock_ms(self) -> int:
        return (self.now_ns - self._boot_ns) // _MS_NS

    def _wake(self) -> None:
        self.wakes += 1
        data = bytes(self._to_gun[:_RECEIVE_BYTES])
        del self._to_gun[:_RECEIVE_BYTES]
        self._reported = self.panel.inputs()
        stalled, self.plant.stallguard.diag = self.plant.stallguard.diag, False
        self._answer(
            cosim.WAKE,
            clock_ms=self._clock_ms(),
            inputs=self._reported | stalled * _STALLED,
            force_raw=self.plant.force_adc_raw(),
            supply_mv=round(self.plant.supply_v * 1000),
            data=data,
            **self._pulse_fields(),
        )
        self._serve()

    def _serve(self) -> None:
        """Carry out what the firmware asks for until it waits again."""
        for message, fields in self._requests:
            if self._trace is not None:
                self._trace(self.now_ns, message.name, fields)
            if message is cosim.WAIT:
                deadline_ms = fields["deadline_ms"]
                self._deadline_ns = (
                    None
                    if deadline_ms == cosim.FOREVER_MS
                    else self._boot_ns + deadline_ms * _MS_NS
                )
                self._passed_ns = self.now_ns
                self._earliest_ns = self.now_ns + _PASS_NS
                return
            self._carry_out(message, fields)

    def _carry_out(self, message: Message, fields: dict[str, Any]) -> None:  # noqa: C901 (one branch a message)
        if message is cosim.SEND:
            self._say(fields["data"])
        elif message is cosim.PANEL:
            self.panel.light, self.panel.buzzer = fields["light"], fields["buzzer"]
        elif message is cosim.PULSE_SUBMIT:
            words = fields["words"]
            if not self.stream.blocks and self._new_point_each_shot:
                self.plant.new_point()
            self.stream.submit(self.now_ns, struct.unpack(f"<{len(words) // 4}I", words))
        elif message is cosim.DRIVER:
            self._set_driver(bool(fields["enabled"]), fields["budget_steps"])
        elif message in (cosim.PULSE_READ, cosim.PULSE_ABORT):
            self._pulse(message)
        elif message is cosim.FLASH_READ:
            data = self.flash.read(fields["offset"], fields["length"])
            self._answer(cosim.FLASH_DATA, data=data)
        elif message is cosim.FLASH_PROGRAM:
            self._flash_takes(self.flash.program(fields["offset"], fields["data"]))
        elif message is cosim.FLASH_ERASE:
            self._flash_takes(self.flash.erase(fields["offset"]))
        elif message is cosim.BOOT:
            self._answer(cosim.BOOTED, board_id=self.board_id, reset_cause=self._cause)

    def _say(self, data: bytes) -> None:
        if self._listening and self._plugged:
            self._to_host += data
        else:
            self._to_host += data[: max(0, _DRIVER_BYTES - len(self._to_host))]

    def _set_driver(self, enabled: bool, budget_steps: int) -> None:
        stream = self.stream
        if not enabled:
            stream.restart(self.now_ns)
        stream.set_budget(self.now_ns, budget_steps)
        stream.set_driver(self.now_ns, enabled)
        self._look_at_driver(self.now_ns)

    def _look_at_driver(self, at_ns: int) -> None:
        """Tell of a driver that went on or off; the step that used the budget up took it away."""
        if self.stream.driver_on != self._driver_on:
            self._driver_on = self.stream.driver_on
            if self.on_driver is not None:
                self.on_driver(at_ns, self._driver_on)

    def _pulse(self, message: Message) -> None:
        if message is cosim.PULSE_ABORT:
            self.stream.abort(self.now_ns)
        self._answer(cosim.PULSE_STATE, clock_ms=self._clock_ms(), **self._pulse_fields())

    def _pulse_fields(self) -> dict[str, int]:
        stream = self.stream
        return {
            "forward_steps": stream.forward_steps,
            "backward_steps": stream.backward_steps,
            "blocks": stream.blocks,
            "interlock_latched": int(stream.interlock_latched),
            "budget_tripped": int(stream.budget_tripped),
        }

    def _flash_takes(self, duration_ns: int) -> None:
        """The processor stands still during a flash operation; motion and physics do not."""
        began_ns = self.now_ns
        try:
            self._advance(began_ns + duration_ns)
        except _Restart as restart:
            if restart.cause is ResetCause.POWER_ON:
                self.flash.tear((self.now_ns - began_ns) / duration_ns)
            raise
        self._answer(cosim.FLASH_DATA, data=b"")

    def _answer(self, message: Message, **fields: Any) -> None:
        if self._trace is not None:
            self._trace(self.now_ns, message.name, fields)
        self._firmware.answer(message, **fields)
