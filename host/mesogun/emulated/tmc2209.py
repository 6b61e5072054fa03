"""The stepper driver TMC2209 on its one-wire UART, as far as its registers go.

Datagrams, CRC and registers are those of its datasheet, rev 1.03, section 4.
"""

from typing import Final

from mesogun.emulated.board import Board
from mesogun.emulated.pico import Pico

_SYNC: Final = 0x05
_WRITE: Final = 0x80
_HOST: Final = 0xFF
_ADDRESS: Final = 0
_READ_BYTES, _WRITE_BYTES = 4, 8

GSTAT: Final = 0x01
IFCNT: Final = 0x02
IOIN: Final = 0x06
DRV_STATUS: Final = 0x6F

_GSTAT_RESET: Final = 1
_GSTAT_UNDERVOLTAGE: Final = 4
_IOIN_VERSION: Final = 0x21 << 24
_STANDSTILL: Final = 1 << 31


class Tmc2209:
    """Answers reads, counts writes whose CRC is right, and lets all else pass.

    Attributes:
        registers: what is in them: those that tell something at power-on, and what was written.
        silent: it answers nothing and takes nothing, as without a supply.
        lose: how many of the next writes do not reach it.
        undervoltage: it tells that its motor supply is too low.
    """

    def __init__(self, pico: Pico, board: Board) -> None:
        """Connect it to the UART of the board, whose receiver also hears what it sends."""
        self.registers = {
            GSTAT: _GSTAT_RESET,
            IFCNT: 0,
            IOIN: _IOIN_VERSION,
            DRV_STATUS: _STANDSTILL,
        }
        self.silent = False
        self.lose = 0
        self.undervoltage = False
        self._heard = bytearray()
        self._uart = pico.uart_peer(board.driver_uart, self._hear)

    def _hear(self, byte: int) -> None:
        self._uart.echo(byte)
        heard = self._heard
        heard.append(byte)
        if heard[0] & 0x0F != _SYNC:
            heard.clear()
        elif len(heard) >= 3:
            size = _WRITE_BYTES if heard[2] & _WRITE else _READ_BYTES
            if len(heard) == size:
                self._take(bytes(heard))
                heard.clear()

    def _take(self, datagram: bytes) -> None:
        register = datagram[2] & ~_WRITE
        if self.silent or datagram[1] != _ADDRESS or crc8(datagram[:-1]) != datagram[-1]:
            return
        if datagram[2] & _WRITE:
            self._write(register, int.from_bytes(datagram[3:7], "big"))
            return
        value = self.registers.get(register, 0)
        if register == GSTAT and self.undervoltage:
            value |= _GSTAT_UNDERVOLTAGE
        answer = bytes((_SYNC, _HOST, register)) + value.to_bytes(4, "big")
        self._uart.reply(answer + bytes((crc8(answer),)))

    def _write(self, register: int, value: int) -> None:
        if self.lose:
            self.lose -= 1
            return
        registers = self.registers
        registers[IFCNT] = (registers[IFCNT] + 1) & 0xFF
        registers[register] = registers[GSTAT] & ~value if register == GSTAT else value


def crc8(data: bytes) -> int:
    """Return the CRC: x^8 + x^2 + x + 1, each byte from its lowest bit (section 4.2)."""
    crc = 0
    for byte in data:
        for bit in range(8):
            carry = (crc >> 7) ^ (byte >> bit & 1)
            crc = (crc << 1 & 0xFF) ^ (0x07 if carry else 0)
    return crc
