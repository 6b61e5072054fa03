"""The stepper driver TMC2209 on its one-wire UART; page numbers are of its datasheet, rev 1.03."""
# Viper takes buffers for pointers; the stubs do not know.
# pyright: reportArgumentType=false

import machine
import micropython
from micropython import const

from boards import reference as board
from gun import wire

_SYNC = const(0x05)
_WRITE = const(0x80)
_HOST = const(0xFF)  # address of every answer

_GCONF = const(0x00)
_GSTAT = const(0x01)
_IFCNT = const(0x02)
_IHOLD_IRUN = const(0x10)
_TPOWERDOWN = const(0x11)
_TPWMTHRS = const(0x13)
_TCOOLTHRS = const(0x14)
_SGTHRS = const(0x40)
_CHOPCONF = const(0x6C)
_DRV_STATUS = const(0x6F)

# UART in use, microsteps from CHOPCONF, STEP filter; all current settings digital (p. 23).
_GCONF_VALUE = const(1 << 6 | 1 << 7 | 1 << 8)
# The reset value with interpolation to 256 microsteps (p. 33); the microsteps are added.
_CHOPCONF_VALUE = const(0x10000053)
_GSTAT_ALL = const(7)
_GSTAT_UNDERVOLTAGE = const(4)
_OVERTEMPERATURE_OR_SHORT = const(0x3E)  # in DRV_STATUS
_ANSWER_BYTES = const(8)
_TRIES = const(3)
_SILENT = const(-1)


@micropython.viper
def crc8(data: ptr8, length: int) -> int:
    """Return a datagram's CRC: x^8 + x^2 + x + 1, each byte from its lowest bit (p. 20)."""
    crc = 0
    for index in range(length):
        byte = int(data[index])
        for _ in range(8):
            carry = (crc >> 7) ^ (byte & 1)
            crc = crc << 1 & 0xFF
            if carry:
                crc ^= 0x07
            byte >>= 1
    return crc


class Driver:
    """Speaks to the driver while the motor is at rest: a datagram and its answer take 2 ms."""

    def __init__(self):
        self._uart = machine.UART(
            board.DRIVER_UART,
            board.DRIVER_BAUD,
            tx=machine.Pin(board.DRIVER_TX_PIN),
            rx=machine.Pin(board.DRIVER_RX_PIN),
            timeout=5,
            timeout_char=2,
        )
        self._out = bytearray(8)
        self._out_view = memoryview(self._out)

    def configure(self):
        """Write all settings and prove that they arrived; return 0 or the self-test that fails."""
        microsteps = board.DRIVER_MICROSTEPS
        resolution = 8  # MRES: full steps
        while microsteps > 1:
            microsteps >>= 1
            resolution -= 1
        count = self._read(_IFCNT)
        settings = (
            (_GCONF, _GCONF_VALUE),
            (_GSTAT, _GSTAT_ALL),  # writing ones clears them
            (_CHOPCONF, _CHOPCONF_VALUE | resolution << 24),
            (_IHOLD_IRUN, 1 << 16 | board.DRIVER_RUN_CURRENT << 8 | board.DRIVER_HOLD_CURRENT),
            (_TPOWERDOWN, 20),
            (_TPWMTHRS, 0),  # StealthChop at all speeds, which StallGuard needs (p. 56)
            (_TCOOLTHRS, board.DRIVER_STALL_TSTEP_MAX),
            (_SGTHRS, board.DRIVER_STALL_THRESHOLD),
        )
        for register, value in settings:
            self._write(register, value)
        # A write has no answer; the driver counts those whose CRC was right (p. 19).
        counted = self._read(_IFCNT)
        state = self._read(_GSTAT)
        status = self._read(_DRV_STATUS)
        if min(count, counted, state, status) == _SILENT:
            return wire.SELF_TEST_DRIVER_SILENT
        if (counted - count) & 0xFF != len(settings):
            return wire.SELF_TEST_DRIVER_SETTINGS
        if state & _GSTAT_UNDERVOLTAGE:
            return wire.SELF_TEST_DRIVER_SUPPLY
        if status & _OVERTEMPERATURE_OR_SHORT:
            return wire.SELF_TEST_DRIVER_FAULT
        return 0

    def _write(self, register, value):
        out = self._out
        out[0] = _SYNC
        out[1] = board.DRIVER_ADDRESS
        out[2] = register | _WRITE
        for index in range(4):
            out[3 + index] = value >> (24 - 8 * index) & 0xFF
        out[7] = crc8(out, 7)
        self._send(8)

    def _read(self, register):
        """Return what is in a register, `_SILENT` without an answer."""
        out = self._out
        for _ in range(_TRIES):
            out[0] = _SYNC
            out[1] = board.DRIVER_ADDRESS
            out[2] = register
            out[3] = crc8(out, 3)
            self._send(4)
            answer = self._uart.read(_ANSWER_BYTES) or b""
            if (
                len(answer) == _ANSWER_BYTES
                and answer[:3] == bytes((_SYNC, _HOST, register))
                and crc8(answer, 7) == answer[7]
            ):
                return int.from_bytes(answer[3:7], "big")
        return _SILENT

    def _send(self, length):
        uart = self._uart
        while uart.any():
            uart.read(uart.any())
        uart.write(self._out_view[:length])
        # On the one wire it comes back; the answer follows it. What came back damaged went out
        # damaged, and the driver does not take it.
        uart.read(length)
