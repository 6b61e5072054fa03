"""The compiled codec against the definition, with values and bytes that nobody chose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun_protocol import cosim, messages
from mesogun_protocol.fields import MessageError
from mesogun_protocol.packed import Packed
from mesogun_protocol.rows import fields_of, fixed_size

MESSAGES = (*messages.MESSAGES.values(), *messages.PARTS, *cosim.MESSAGES.values())


def _tried(call, *arguments, **fields):
    try:
        return call(*arguments, **fields)
    except MessageError as error:
        return str(error)


def _body(message):
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


def _value(row):
    """A value of the field, or quite often one that is none."""
    if row.type in ("bytes", "tail"):
        return st.binary(min_size=row.minimum, max_size=min(row.maximum, 40)) | st.binary()
    near = [row.minimum - 1, row.minimum, row.maximum, row.maximum + 1]
    odd = st.sampled_from([*near, -1, 1.0, "1", None, b"1", True])
    return st.integers(row.minimum, row.maximum) | odd


@given(st.sampled_from(MESSAGES).flatmap(lambda m: st.tuples(st.just(m), _body(m))))
def test_it_reads_what_the_definition_reads(case):
    message, body = case
    assert _tried(Packed(message).parse, body) == _tried(message.parse, body)


@given(
    st.sampled_from(MESSAGES).flatmap(
        lambda m: st.tuples(
            st.just(m), st.fixed_dictionaries({r.name: _value(r) for r in fields_of(m) if r.name})
        )
    )
)
def test_it_writes_what_the_definition_writes(case):
    message, fields = case
    assert _tried(Packed(message).build, **fields) == _tried(message.build, **fields)


@pytest.mark.parametrize("message", [m for m in MESSAGES if fields_of(m)], ids=lambda m: m.name)
def test_a_field_too_many_or_too_few_is_refused(message):
    rows = [row for row in fields_of(message) if row.name]
    some = {row.name: b"" if row.type == "tail" else row.minimum for row in rows}
    with pytest.raises(MessageError):
        Packed(message).build(**some, another=1)
    del some[rows[0].name]
    with pytest.raises(MessageError):
        Packed(message).build(**some)
