# rp2040py offers no public way to most of what is mended here.
# pyright: reportPrivateUsage=false
"""Repairs of rp2040py 0.3.6, each with the defect that it mends; those of PIO are in `exact_pio`.

Each repair is a subclass of the part that it replaces, so that it can be sent to the project as a
change of that part. The release is pinned because they lean on its insides.
"""

import random
from collections import deque
from collections.abc import Callable
from typing import Final

from rp2040py.irq import IRQ
from rp2040py.peripherals.dma import TREQ, DREQChannel, RPDMAChannel
from rp2040py.peripherals.pwm import RPPWM, PWMChannel
from rp2040py.peripherals.ssi import CMD_BLOCK_ERASE, CMD_PAGE_PROGRAM, CMD_SECTOR_ERASE, RPSSI
from rp2040py.peripherals.uart import RPUART, TXFE, UARTDR, UARTTXINTR, IUARTDMAChannels
from rp2040py.peripherals.usb import (
    EP0_IN_BUFFER_CONTROL,
    EP15_OUT_BUFFER_CONTROL,
    USB_BUF_CTRL_AVAILABLE,
    RPUSBController,
)
from rp2040py.rp2040 import RP2040
from rp2040py.sio import (
    DIV_CSR,
    DIV_QUOTIENT,
    DIV_REMAINDER,
    DIV_SDIVIDEND,
    DIV_SDIVISOR,
    DIV_UDIVIDEND,
    DIV_UDIVISOR,
    RPSIO,
)
from rp2040py.usb.cdc import USBCDC
from rp2040py.utils.bit import s32, u32

from mesogun_protocol.limits import FLASH_PAGE_BYTES, FLASH_SECTOR_BYTES

_CYCLE_NS: Final = 8

_PADS_AT_RESET: Final = 0x56
"""RP2040 datasheet 2.19.6.3: input enabled, 4 mA, pull-down, Schmitt trigger."""

_PERIPHERAL_HZ: Final = 48_000_000
"""MicroPython takes it from the PLL of USB; a change of the system clock leaves it alone."""

_PWM_ADDRESS: Final = 0x40050
_SSI_ADDRESS: Final = 0x18000
_UART_ADDRESSES: Final = (0x40034, 0x40038)


class Cdc(USBCDC):
    """The host's side of the serial port over USB.

    Defect: each bulk OUT buffer that the device offers is answered at once, with a packet of no
    bytes if there is nothing to send. A host sends no token then and the device gets no packet; of
    the package it gets one every 26 us, its processor never sleeps, and 1 s costs 17 s.

    Defect: what does not fit into the queue of 512 bytes is dropped. Here the queue has no end.

    Missing: a host that takes nothing, and a cable that is pulled. Packets that the device offers
    then stay where they are.
    """

    def __init__(self, usb: RPUSBController) -> None:
        """Plug the cable in."""
        super().__init__(usb)
        self._unsent = bytearray()
        self._offered: list[int] = []
        self._serve_control = usb.on_endpoint_read
        self._forget = usb.on_reset
        usb.on_endpoint_read = self._on_offer
        usb.on_reset = self._on_chip_reset
        self._wake = usb.rp2040.clock.create_alarm(self._serve)
        self._plugged = self._listening = True
        self._untaken: list[tuple[int, int]] = []
        self._take = usb.dpram_updated
        usb.dpram_updated = self._on_buffer

    def send(self, data: bytes) -> None:
        """Send `data` to the device, as fast as it takes it; without a cable it is lost."""
        if not self._plugged:
            return
        self._unsent += data
        if data and self._offered:
            self._wake.schedule(0)

    def listen(self, listening: bool) -> None:
        """Take what the device sends, or let it wait."""
        self._listening = listening
        if listening and self._plugged:
            untaken, self._untaken = self._untaken, []
            for offset, value in untaken:
                self._take(offset, value)

    def unplug(self) -> None:
        """Pull the cable. The device has a supply of its own and goes on."""
        self._plugged = False
        self._unsent.clear()

    def plug(self) -> None:
        """Push the cable in: the host resets the bus and asks the device who it is."""
        self._plugged = self._listening = True
        self._untaken.clear()
        self._on_chip_reset()
        self.usb.reset_device()

    def _on_buffer(self, offset: int, value: int) -> None:
        is_input = EP0_IN_BUFFER_CONTROL <= offset <= EP15_OUT_BUFFER_CONTROL and not offset & 4
        if is_input and value & USB_BUF_CTRL_AVAILABLE and not (self._plugged and self._listening):
            self._untaken.append((offset, value))
        else:
            self._take(offset, value)

    def _on_offer(self, endpoint: int, size: int) -> None:
        if endpoint != self._out_endpoint:
            assert self._serve_control is not None
            self._serve_control(endpoint, size)
            return
        self._offered.append(size)
        self._serve()

    def _serve(self) -> None:
        while self._offered and self._unsent:
            size = self._offered.pop(0)
            packet = bytes(self._unsent[:size])
            del self._unsent[:size]
            self.usb.endpoint_read_done(self._out_endpoint, packet)

    def _on_chip_reset(self) -> None:
        self._offered.clear()
        self._unsent.clear()
        if self._forget is not None:
            self._forget()


class DmaChannel(RPDMAChannel):
    """A DMA channel whose transfers take time.

    Defect: a transfer takes no time, so a sleeping processor's jump to the next event has length 0
    and a memory copy is over before the instruction that began it. Four cycles are what a read and
    a write take on an idle bus.

    Defect: a request is looked at when the transfer is planned. If the processor fills the FIFO in
    between, the word is lost.
    """

    _BEAT_NS: Final = 4 * _CYCLE_NS

    def schedule_transfer(self) -> None:
        """Plan the next transfer; without a request, `set_dreq` plans it later."""
        if self._requested:
            self.transfer_alarm.schedule(self._BEAT_NS)
        elif self._treq_value >= TREQ.TIMER0:
            super().schedule_transfer()

    def transfer(self) -> None:
        """Move one item, if it is still asked for."""
        if self._requested or self._treq_value >= TREQ.TIMER0:
            super().transfer()

    @property
    def _requested(self) -> bool:
        return self._treq_value == TREQ.PERMANENT or self.dma.dreq.get(self._treq_value, False)


class Sio(RPSIO):
    """The processor's divider, which works beside it and is asked when the result is there.

    Defect: each write of an operand divides, in floating point, and holds the processor up for 8
    cycles. The result is there 8 cycles after the write (datasheet 2.3.1.5), and code that is in
    time for it waits by itself. MicroPython divides for each name that it looks up, so these were
    three of a hundred of the time of the gun and fifteen of the time of its emulation.
    """

    _DIRTY_AND_READY: Final = 3

    def __init__(self, rp2040: RP2040) -> None:
        """Nothing to divide yet."""
        super().__init__(rp2040)
        self._is_divided = True
        self._is_signed = False

    def write_uint32(self, offset: int, value: int) -> None:
        """Write a register."""
        if DIV_UDIVIDEND <= offset <= DIV_SDIVISOR:
            if offset in (DIV_UDIVISOR, DIV_SDIVISOR):
                self.div_divisor = value
            else:
                self.div_dividend = value
            self._is_signed = offset >= DIV_SDIVIDEND
            self._is_divided = False
            self.div_csr = self._DIRTY_AND_READY
            return
        if DIV_QUOTIENT <= offset <= DIV_REMAINDER:
            self._divide()  # what is not written stays
        super().write_uint32(offset, value)

    def read_uint32(self, offset: int) -> int | float:
        """Read a register."""
        if DIV_QUOTIENT <= offset <= DIV_REMAINDER:
            self._divide()
            if offset == DIV_REMAINDER:
                return self.div_remainder
        elif offset == DIV_CSR:
            return self.div_csr
        return super().read_uint32(offset)

    def _divide(self) -> None:
        if self._is_divided:
            return
        self._is_divided = True
        convert = s32 if self._is_signed else u32
        dividend, divisor = convert(self.div_dividend), convert(self.div_divisor)
        if divisor:
            quotient = abs(dividend) // abs(divisor)
            self.div_quotient = quotient if (dividend < 0) == (divisor < 0) else -quotient
            self.div_remainder = dividend - self.div_quotient * divisor
        else:
            self.div_quotient = 1 if dividend < 0 else -1
            self.div_remainder = dividend


class _PwmChannel(PWMChannel):
    """A slice of PWM that costs nothing while its outputs stay low.

    Defect: each period of a slice that runs costs three alarms, whatever its outputs do: 26 ms of
    a processor for each second in which the gun's buzzer is silent.
    """

    def write_register(self, offset: int, value: int) -> None:
        """Write a register; what it changes, the end of the next period may show."""
        self._look_at_periods(True)
        super().write_register(offset, value)

    def _wrap(self) -> None:
        super()._wrap()
        self._look_at_periods(bool(self.cc) or self.cc_updated or self.top_updated)

    def _look_at_periods(self, looking: bool) -> None:
        for alarm in (self.alarm_a, self.alarm_b, self.alarm_bottom):
            alarm.enable = looking


class Pwm(RPPWM):
    """All slices; none of them interrupts the processor: MicroPython uses no such interrupt.

    Defect: until the first reset the first output of a slice drives no pin.
    """

    def __init__(self, rp2040: RP2040) -> None:
        """Let all of them rest."""
        super().__init__(rp2040, "PWM_BASE")
        self.gpio_direction = 0xFFFFFFFF
        self.channels = [_PwmChannel(self, rp2040.clock, index) for index in range(8)]


class Uart(RPUART):
    """A serial port whose bytes take their time on the line, and whose transmit interrupt ends.

    Defect: a byte is handed over in the moment in which it is written and the transmitter is never
    busy, so what waits for the end of a transmission does not wait.

    Defect: each look at the interrupts raises the transmit interrupt again, so the first byte that
    MicroPython sends hangs it in its handler. Here the end of a byte raises it.
    """

    _FIFO_BYTES: Final = 32
    _BITS_OF_A_BYTE: Final = 10  # start, eight of data, stop
    _FULL: Final = 1 << 5  # flags, PL011: TXFF, BUSY
    _BUSY: Final = 1 << 3

    def __init__(self, rp2040: RP2040, name: str, irq: int, dreq: IUARTDMAChannels) -> None:
        """Connect nothing yet."""
        super().__init__(rp2040, name, irq, dreq)
        self._sending: deque[int] = deque()
        self._sent = rp2040.clock.create_alarm(self._finish_byte)

    @property
    def byte_ns(self) -> float:
        """Time of one byte on the line."""
        return self._BITS_OF_A_BYTE * 1e9 / self.baud_rate

    @property
    def flags(self) -> int:
        """The flag register; the byte on the line has left the FIFO."""
        flags = super().flags & ~TXFE
        if len(self._sending) <= 1:
            flags |= TXFE
        if len(self._sending) > self._FIFO_BYTES:
            flags |= self._FULL
        return flags | (self._BUSY if self._sending else 0)

    def check_interrupts(self) -> None:
        """Tell the processor what is pending."""
        pending = bool(self._interrupt_status & self._interrupt_mask)
        self.rp2040.set_interrupt(self.irq, pending)

    def write_uint32(self, offset: int, value: int) -> None:
        """Write a register."""
        if offset != UARTDR:
            super().write_uint32(offset, value)
            return
        self._sending.append(value & 0xFF)
        if len(self._sending) == 1:
            self._sent.schedule(self.byte_ns)

    def reset(self) -> None:
        """Forget what was to be sent."""
        super().reset()
        self._sending.clear()
        self._sent.cancel()

    def _finish_byte(self) -> None:
        byte = self._sending.popleft()
        if self._sending:
            self._sent.schedule(self.byte_ns)
        self._interrupt_status: int = self._interrupt_status | UARTTXINTR
        self.check_interrupts()
        if self.on_byte is not None:
            self.on_byte(byte)


class FlashChip(RPSSI):
    """The flash behind the XIP interface, with its own identity, and taking its time.

    Defect: the command that reads the unique id (0x4B) is not known, so all boards are
    ff ff ff ff ff ff ff ff.

    Defect: programming and erasing take no time. The processor stands still for it (it cannot fetch
    from a flash that is busy, and the SDK has switched interrupts off); clocks, PIO and DMA go on.

    Attributes:
        on_change: called with offset and bytes of each piece of flash that has changed.
    """

    _READ_UNIQUE_ID: Final = 0x4B
    _ID_AT: Final = 5  # one command byte and four dummies before it

    # W25Q16JV datasheet, AC characteristics, typical and maximum: page program 0.4 and 3 ms, sector
    # erase 45 and 400 ms, block erase 150 and 2000 ms.
    _DURATION_NS: Final = {
        CMD_PAGE_PROGRAM: (400_000, 3_000_000),
        CMD_SECTOR_ERASE: (45_000_000, 400_000_000),
        CMD_BLOCK_ERASE: (150_000_000, 2_000_000_000),
    }
    _CHANGED_BYTES: Final = {
        CMD_PAGE_PROGRAM: FLASH_PAGE_BYTES,
        CMD_SECTOR_ERASE: FLASH_SECTOR_BYTES,
        CMD_BLOCK_ERASE: 16 * FLASH_SECTOR_BYTES,
    }

    def __init__(self, rp2040: RP2040, unique_id: bytes, seed: int) -> None:
        """Solder it in; `seed` draws the time of each operation."""
        super().__init__(rp2040, "SSI")
        self._unique_id = unique_id
        self._random = random.Random(f"flash {seed}")
        self.on_change: Callable[[int, bytes], None] | None = None

    def _shift_byte(self, byte_out: int) -> int:
        answer = super()._shift_byte(byte_out)
        at = len(self._tx_buffer) - 1 - self._ID_AT
        if self._tx_buffer[0] == self._READ_UNIQUE_ID and 0 <= at < len(self._unique_id):
            return self._unique_id[at]
        return answer

    def _apply_command(self) -> None:
        command = self._tx_buffer[0] if len(self._tx_buffer) >= 4 else 0
        changes = self._write_enabled and command in self._DURATION_NS
        address = self._address_from_buffer() if changes else 0
        super()._apply_command()
        if not changes:
            return
        size = self._CHANGED_BYTES[command]
        start = address // size * size
        if self.on_change is not None:
            self.on_change(start, bytes(self.rp2040.flash[start : start + size]))
        typical, longest = self._DURATION_NS[command]
        # Nearly all operations take the typical time; the tail reaches the datasheet's maximum.
        self.rp2040.clock.tick(typical + round((longest - typical) * self._random.random() ** 8))


def repair(mcu: RP2040, unique_id: bytes, seed: int) -> tuple[FlashChip, list[Uart]]:
    """Put the repaired parts into a chip that has not run yet; return its flash and UARTs.

    Defect: CLK_PERI_CTRL is ignored and the peripheral clock is always 125 MHz, so a UART runs 2.6
    times too fast.
    """
    mcu.clk_peri = _PERIPHERAL_HZ
    mcu.sio = Sio(mcu)
    mcu.pwm = mcu.peripherals[_PWM_ADDRESS] = Pwm(mcu)
    mcu.dma.channels[:] = [DmaChannel(mcu.dma, mcu, index) for index in range(12)]
    uarts = [
        Uart(mcu, "UART0", IRQ.UART0, _channels(DREQChannel.DREQ_UART0_RX)),
        Uart(mcu, "UART1", IRQ.UART1, _channels(DREQChannel.DREQ_UART1_RX)),
    ]
    mcu.uart[:] = uarts
    mcu.peripherals.update(zip(_UART_ADDRESSES, uarts, strict=True))
    flash = FlashChip(mcu, unique_id, seed)
    mcu.ssi = flash
    mcu.peripherals[_SSI_ADDRESS] = flash
    mend_pads(mcu)
    return flash, uarts


def mend_pads(mcu: RP2040) -> None:
    """Give the pads their values at reset; to be done after each reset.

    Defect: a pad comes out of reset with its input disabled, so PIO reads 0 from a pin that nobody
    has made an input before.
    """
    for pin in mcu.gpio:
        pin.pad_value = _PADS_AT_RESET


def _channels(rx: DREQChannel) -> IUARTDMAChannels:
    return IUARTDMAChannels(rx=rx, tx=DREQChannel(rx - 1))
