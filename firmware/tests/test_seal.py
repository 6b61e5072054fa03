"""The sum that a shot writes behind its records is the one that hosts check."""

import zlib
from importlib import import_module
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

seal: Any = import_module("gun.seal").seal


@given(st.binary(max_size=64))
def test_the_seal_is_the_crc_of_what_stands_before_it(content: bytes) -> None:
    buf = bytearray(content + b"\xaa" * 6)
    seal(buf, len(content))
    assert buf == content + zlib.crc32(content).to_bytes(4, "little") + b"\xaa\xaa"
