"""The compiled codec against the definition, with values and bytes that nobody chose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun_protocol import cosim, messages
from mesogun_protocol.fields import MessageError
from mesogun_protocol.packed import Packed
from mesogun_protocol.rows import fields_of
from tests.message_bodies import body

MESSAGES = (*messages.MESSAGES.values(), *messages.PARTS, *cosim.MESSAGES.values())


def _tried(call, *arguments, **fields):
    try:
        return call(*arguments, **fields)
    except MessageError as error:
        return str(error)


def _value(row):
    """A value of the field, or quite often one that is none."""
    if row.type in ("bytes", "tail"):
        return st.binary(min_size=row.minimum, max_size=min(row.maximum, 40)) | st.binary()
    near = [row.minimum - 1, row.minimum, row.maximum, row.maximum + 1]
    odd = st.sampled_from([*near, -1, 1.0, "1", None, b"1", True])
    return st.integers(row.minimum, row.maximum) | odd


@given(st.sampled_from(MESSAGES).flatmap(lambda m: st.tuples(st.just(m), body(m))))
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
