"""The numbers of one gun in two flash sectors by turns: a power cut leaves the old or the new."""

from binascii import crc32
from struct import pack_into, unpack_from

from gun import wire

# Key, value of a new gun, smallest, largest. In the order of the keys, which count from 1.
_TABLE = (
    (wire.CONFIG_BOARD_REVISION, 1, 1, 0xFFFF),
    (wire.CONFIG_LEAD_NM, 800000, 100000, 10000000),
    (wire.CONFIG_STEPS_PER_TURN, 3200, 200, 51200),
    (wire.CONFIG_MAX_STEP_RATE_HZ, 40000, 100, wire.STEP_RATE_MAX_HZ),
    (wire.CONFIG_MAX_STEP_RATE_START_HZ, 4000, 100, wire.STEP_RATE_MAX_HZ),
    # Shorter and a bounce train that R21 names would count as two presses.
    (wire.CONFIG_DEBOUNCE_MS, wire.DEBOUNCE_DEFAULT_MS, wire.DEBOUNCE_DEFAULT_MS, 500),
    (wire.CONFIG_PRESSURE_LIMIT_KPA, 1000, 1, wire.PRESSURE_LIMIT_MAX_KPA),
)
_MAGIC = 0x4347534D
_HEAD_BYTES = 8  # magic and version
_CRC_AT = _HEAD_BYTES + 4 * 16  # room for more keys; 0 is below every minimum and means not set
_BYTES = _CRC_AT + 4
_FIRST_AT = wire.JOURNAL_SECTORS * wire.FLASH_SECTOR_BYTES
_SECOND_AT = _FIRST_AT + wire.FLASH_SECTOR_BYTES


class ConfigError(Exception):
    pass


class Config:
    """Takes the newer of the sound copies; a gun that was never written has the table's values."""

    def __init__(self, flash):
        self._flash = flash
        self._image = bytearray(_BYTES)
        self._seen = bytearray(_BYTES)
        self._version = 0
        self._at = _SECOND_AT
        pack_into("<II", self._image, 0, _MAGIC, 0)
        for at in (_FIRST_AT, _SECOND_AT):
            flash.read(at, self._seen)
            magic, version = unpack_from("<II", self._seen, 0)
            if magic == _MAGIC and version > self._version and _is_sound(self._seen):
                self._take(at, version, self._seen)

    def _take(self, at, version, image):
        self._image[:] = image
        self._version = version
        self._at = at

    @property
    def sound(self):
        """Does the flash still hold what is in use?"""
        if not self._version:
            return True
        self._flash.read(self._at, self._seen)
        return self._seen == self._image

    def get(self, key):
        """Return the number of `key`; the default where the flash has none within bounds."""
        _, default, minimum, maximum = _TABLE[key - 1]
        value = unpack_from("<I", self._image, _HEAD_BYTES + 4 * (key - 1))[0]
        return value if minimum <= value <= maximum else default

    def minimum(self, key):
        return _TABLE[key - 1][2]

    def maximum(self, key):
        return _TABLE[key - 1][3]

    def set(self, key, value):
        """Keep `value` for good. Erases a sector: only for a gun that is not armed.

        Raises ValueError out of bounds, ConfigError if the copy reads back wrong; then the old
        numbers stay in force.
        """
        minimum = self.minimum(key)
        maximum = self.maximum(key)
        if not minimum <= value <= maximum:
            raise ValueError(f"configuration key {key} takes {minimum} to {maximum}, not {value}")
        image = bytearray(self._image)
        version = self._version + 1
        pack_into("<I", image, 4, version)
        pack_into("<I", image, _HEAD_BYTES + 4 * (key - 1), value)
        pack_into("<I", image, _CRC_AT, crc32(memoryview(image)[:_CRC_AT]))
        at = _FIRST_AT if self._at == _SECOND_AT else _SECOND_AT
        self._flash.erase(at)
        self._flash.program(at, image)
        self._flash.read(at, self._seen)
        if self._seen != image:
            raise ConfigError(f"configuration at flash offset {at} reads back wrong")
        self._take(at, version, image)


def _is_sound(image):
    return crc32(memoryview(image)[:_CRC_AT]) == unpack_from("<I", image, _CRC_AT)[0]
