"""CRC-32 of what a shot writes and tells, in place.

`binascii.crc32` returns what is no small integer on a processor of 32 bits, which is memory of the
heap for each record. Here the two halves are small integers. It takes 10 us a byte, so all that no
shot waits for goes on using the other one.
"""

from array import array
from binascii import crc32

_LOW = array("H", [0] * 256)
_HIGH = array("H", [0] * 256)

for _byte in range(256):
    # The register is all ones at first and inverted at the end.
    _entry = crc32(bytes((_byte,))) ^ 0xFF000000
    _LOW[_byte ^ 0xFF] = _entry & 0xFFFF
    _HIGH[_byte ^ 0xFF] = _entry >> 16


def seal(buf, length):
    """Put the CRC-32 of `buf[:length]` behind it, in four bytes, the lowest first."""
    low = high = 0xFFFF
    for at in range(length):
        index = (low ^ buf[at]) & 0xFF
        low = (low >> 8 | (high & 0xFF) << 8) ^ _LOW[index]
        high = high >> 8 ^ _HIGH[index]
    low ^= 0xFFFF
    high ^= 0xFFFF
    buf[length] = low & 0xFF
    buf[length + 1] = low >> 8
    buf[length + 2] = high & 0xFF
    buf[length + 3] = high >> 8
