"""Assembles `@rp2.asm_pio` programs straight from the firmware's sources, on CPython.

The functions are run with the words of the language bound to encoders, once to find the labels and
once to encode, as MicroPython's own assembler does (RP2040 datasheet 3.4 has the encodings).
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WORDS = {
    "pins": 0,
    "x": 1,
    "y": 2,
    "null": 3,
    "pindirs": 4,
    "pc": 5,
    "isr": 6,
    "osr": 7,
    "not_x": 1,
    "x_dec": 2,
    "not_y": 3,
    "y_dec": 4,
    "x_not_y": 5,
    "pin": 6,
    "not_osre": 7,
}
_WAIT_SOURCES = {_WORDS["pin"]: 1}


@dataclass(frozen=True)
class Program:
    """Attributes: opcodes, the loop's ends, where the labels are, and the decorator's keywords."""

    opcodes: list[int]
    wrap_target: int
    wrap: int
    labels: dict[str, int]
    options: dict[str, str]


class _Line:
    """One instruction; `side` adds its side-set bit."""

    def __init__(self, opcodes: list[int], opcode: int) -> None:
        self._opcodes = opcodes
        opcodes.append(opcode)

    def side(self, level: int) -> None:
        self._opcodes[-1] |= level << 12


class _Assembler:
    def __init__(self, labels: dict[str, int]) -> None:
        self.opcodes: list[int] = []
        self.found: dict[str, int] = {}
        self.wrap_target = 0
        self.wrap = 0
        self._labels = labels

    def names(self) -> dict[str, Any]:
        names: dict[str, Any] = dict(_WORDS)
        for word in ("label", "jmp", "wait", "out", "mov", "set"):
            names[word] = getattr(self, "_" + word)
        names["wrap_target"] = lambda: vars(self).update(wrap_target=len(self.opcodes))
        names["wrap"] = lambda: vars(self).update(wrap=len(self.opcodes) - 1)
        return names

    def _emit(self, opcode: int) -> _Line:
        return _Line(self.opcodes, opcode)

    def _label(self, name: str) -> None:
        self.found[name] = len(self.opcodes)

    def _jmp(self, *arguments: int | str) -> _Line:
        condition = int(arguments[0]) if len(arguments) == 2 else 0
        return self._emit(condition << 5 | self._labels.get(str(arguments[-1]), 0))

    def _wait(self, polarity: int, source: int, index: int) -> _Line:
        return self._emit(0x2000 | polarity << 7 | _WAIT_SOURCES[source] << 5 | index)

    def _out(self, target: int, bits: int) -> _Line:
        return self._emit(0x6000 | target << 5 | bits & 31)

    def _mov(self, target: int, source: int) -> _Line:
        source = {_WORDS["isr"]: 6}.get(source, source)
        return self._emit(0xA000 | target << 5 | source)

    def _set(self, target: int, value: int) -> _Line:
        return self._emit(0xE000 | target << 5 | value)


def load_program(source: Path, name: str) -> Program:
    """Assemble the function `name` of the file `source`."""
    tree = ast.parse(source.read_text(encoding="utf-8"), str(source))
    function = next(
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name
    )
    (decorator,) = function.decorator_list
    assert isinstance(decorator, ast.Call)
    assert ast.unparse(decorator.func) == "rp2.asm_pio"
    function.decorator_list = []
    code = compile(ast.Module([function], []), str(source), "exec")
    labels: dict[str, int] = {}
    while True:
        assembler = _Assembler(labels)
        namespace = assembler.names()
        exec(code, namespace)
        body: Callable[[], None] = namespace[name]
        body()
        if assembler.found == labels:
            break
        labels = assembler.found
    options = {str(word.arg): ast.unparse(word.value) for word in decorator.keywords}
    return Program(assembler.opcodes, assembler.wrap_target, assembler.wrap, labels, options)
