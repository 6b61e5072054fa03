"""The device's codec: complete, and refused where a layout would not work on the device."""

import ast

import pytest

import gen_wire
from mesogun_protocol import cosim, messages, schema
from mesogun_protocol.fields import U8, Message, layout
from mesogun_protocol.rows import SchemaError, fields_of


def _functions(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names.add(node.targets[0].id)
    return names


def test_the_device_reads_every_request_and_writes_every_reply_with_a_body():
    names = _functions(gen_wire.wire_source())
    for message in (*messages.REQUESTS, *messages.PARTS, *schema.RECORDS):
        assert f"unpack_{message.name}" in names
    for message in (*messages.REPLIES, messages.EVENT, messages.REFUSED, *schema.RECORDS):
        assert (f"pack_{message.name}" in names) == bool(fields_of(message))


def test_the_virtual_layer_writes_every_request_and_reads_every_answer():
    names = _functions(gen_wire.cosim_source())
    for message in cosim.MESSAGES.values():
        name = message.name.removeprefix("cosim_")
        if message.id & messages.REPLY_BIT:
            assert f"unpack_{name}" in names
        else:
            assert (f"pack_{name}" in names) == bool(fields_of(message))


def test_the_device_has_no_classes_but_the_error_and_no_dicts():
    for source in (gen_wire.wire_source(), gen_wire.cosim_source()):
        tree = ast.parse(source)
        classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        assert classes in ([], ["WireError"])
        assert not [node for node in ast.walk(tree) if isinstance(node, (ast.Dict, ast.DictComp))]


def test_a_value_is_compared_before_it_is_packed():
    for node in ast.walk(ast.parse(gen_wire.wire_source())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("pack_"):
            fields = [argument.arg for argument in node.args.args[2:]]
            packed = next(
                index
                for index, statement in enumerate(node.body)
                if ast.unparse(statement).startswith("pack_into(")
            )
            checks = [ast.unparse(statement) for statement in node.body[:packed]]
            assert len(checks) == len(fields)
            for number, (field, check) in enumerate(zip(fields, checks, strict=True)):
                assert check.startswith("check_")
                assert f"({number}, {field}," in check or f"({number}, len({field})," in check


def test_constants_of_the_same_name_are_refused():
    with pytest.raises(SchemaError, match="two constants would be called STEP_NONE"):
        gen_wire._constants({"one": {"STEP_NONE": 1}, "two": {"STEP_NONE": 1}})


@pytest.mark.parametrize("name", ["buf", "at"])
def test_fields_named_as_an_argument_of_the_codec_are_refused(name):
    message = Message("m", 1, layout(name / U8 * "doc"), "doc")
    with pytest.raises(SchemaError, match="cannot be called buf or at"):
        gen_wire._pack(message, 512)
