"""Bytes that may be the body of a message, for the tests of both codecs."""

from hypothesis import strategies as st

from mesogun_protocol.rows import fields_of, fixed_size


def body(message):
    """A body of the right length, or not: its tail's length is right most of the time."""
    rows = fields_of(message)
    size = fixed_size(rows)
    # Small bytes make values that are in bounds more often.
    fixed = st.lists(st.sampled_from(range(8)) | st.integers(0, 255), min_size=size, max_size=size)
    right = fixed.map(bytes)
    if rows and rows[-1].type == "tail":
        right = st.tuples(right, st.binary(max_size=40)).map(
            lambda parts: parts[0][:-2] + len(parts[1]).to_bytes(2, "little") + parts[1]
        )
    return right | st.binary(max_size=size + 3)
