"""The check of the firmware's arrows passes a good tree and refuses every kind of bad one."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import check_imports

GOOD = {
    "firmware/main.py": "import sys\nfrom gun import controller\nfrom hal.rp2040 import machine\n",
    "firmware/boot.py": "import micropython\n",
    "firmware/gun/__init__.py": "",
    "firmware/gun/ports.py": "from typing import Protocol\n",
    "firmware/gun/wire.py": "import struct\nfrom micropython import const\n",
    "firmware/gun/link.py": (
        "import binascii\n"
        "from gun import frame, wire\n"
        "if TYPE_CHECKING:\n"
        "    from typing import Final\n"
        "    from gun.ports import Serial\n"
    ),
    "firmware/gun/sequencer.py": "import gun.motion\nfrom .dose import X\nfrom . import program\n",
    "firmware/gun/app.py": "from build import BUILD\nfrom gun.controller import Controller\n",
    "firmware/gun/controller.py": "def start():\n    from gun.sequencer import Sequencer\n",
    "firmware/boards/pico.py": "from micropython import const\n",
    "firmware/hal/__init__.py": "",
    "firmware/hal/rp2040/pulse.py": "import rp2, machine\nfrom boards import pico\n",
    "firmware/hal/virtual/serial.py": "from hal.virtual import pipe\nfrom gun import wire\n",
    "firmware/tests/test_link.py": "import subprocess\nimport pytest\n",
    "host/mesogun/gun.py": "import mesogun_protocol\n",
    "tools/gen_wire.py": "import mesogun_protocol\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository in which every arrow is right."""
    for name, text in GOOD.items():
        write(tmp_path, name, text)
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_passes_a_good_tree(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_imports.main(repository) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("gun/motion.py", "import machine", "hal.rp2040 touches the hardware"),
        ("gun/motion.py", "from rp2 import DMA", "hal.rp2040 touches the hardware"),
        ("gun/motion.py", "def f():\n  import machine", "hal.rp2040 touches the hardware"),
        ("gun/motion.py", "try:\n  import rp2\nexcept ImportError:\n  pass", "the hardware"),
        ("gun/motion.py", "if TYPE_CHECKING:\n  import machine", "the hardware"),
        ("gun/motion.py", "pin = __import__('machine').Pin", "hal.rp2040 touches the hardware"),
        ("gun/motion.py", "__import__(name)", "has no such module"),
        ("main.py", "import machine", "hal.rp2040 touches the hardware"),
        ("boards/pico.py", "import machine", "hal.rp2040 touches the hardware"),
        ("hal/virtual/serial.py", "import machine", "hal.rp2040 touches the hardware"),
        ("gun/controller.py", "from hal.rp2040 import pulse", "may import gun.dose"),
        ("gun/controller.py", "import boards.pico", "may import gun.dose"),
        ("gun/controller.py", "from gun.app import App", "may import gun.dose"),
        ("gun/app.py", "from hal.virtual import machine", "gun.app may import build"),
        ("gun/wire.py", "from gun import frame", "may import no part of the firmware"),
        ("gun/frame.py", "from gun import link", "may import gun.ports, gun.wire"),
        ("gun/motion.py", "import gun.sequencer", "gun.motion may import"),
        ("gun/motion.py", "from .sequencer import Sequencer", "gun.motion may import"),
        ("gun/sequencer.py", "from . import controller", "gun.sequencer may import"),
        ("gun/sequencer.py", "from gun import *", "gun.sequencer may import"),
        ("gun/link.py", "from gun.ports import Serial", "under `if TYPE_CHECKING:`"),
        ("gun/link.py", "if TYPE_CHECKING:\n  pass\nelse:\n  import gun.ports", "TYPE_CHECKING"),
        ("hal/virtual/serial.py", "from hal.rp2040 import pulse", "hal.virtual may import"),
        ("hal/virtual/serial.py", "import main", "hal.virtual may import"),
        ("gun/link.py", "from typing import Final", "has no such module"),
        ("gun/link.py", "import dataclasses", "has no such module"),
        ("gun/link.py", "from enum import IntEnum", "has no such module"),
        ("main.py", "import mesogun_protocol.enums", "has no such module"),
        ("hal/rp2040/pulse.py", "from mesogun import gun", "has no such module"),
        ("boot.py", "import tools.gen_wire", "nothing depends on a tool"),
        ("gun/link.py", "import", "firmware/gun/link.py:1: cannot be read"),
        ("gun/extra.py", "", "has no row in MAY_IMPORT"),
        ("extra.py", "", "has no row in MAY_IMPORT"),
        ("tests/test_link.py", "import gen_wire", "nothing depends on a tool"),
        ("../host/mesogun/gun.py", "from tools import gen_wire", "nothing depends on a tool"),
        ("../protocol/tests/test_a.py", "import hil_tests.benches", "nothing depends on a tool"),
    ],
)
def test_refuses_a_bad_arrow(
    repository: Path, name: str, text: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(repository, f"firmware/{name}", text)
    assert check_imports.main(repository) == 1
    message = capsys.readouterr().err
    assert name.removeprefix("../") in message
    assert problem in message


def test_refuses_to_pass_where_there_is_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_imports.main(tmp_path) == 1
    assert "nothing was checked" in capsys.readouterr().err


def test_names_the_line() -> None:
    tree = ast.parse("import sys\n\nif sys:\n    from gun import wire, frame\n")
    assert [(found.name, found.line) for found in check_imports.imports_of(tree, "gun")] == [
        ("sys", 1),
        ("gun.wire", 4),
        ("gun.frame", 4),
    ]


def test_the_allowed_arrows_form_no_circle() -> None:
    order = tuple(TopologicalSorter(check_imports.MAY_IMPORT).static_order())
    assert set(order) == set(check_imports.MAY_IMPORT)
