import subprocess
import sys
from pathlib import Path

import pytest
import serial

from mesogun.catalog import get_needle, get_syringe
from mesogun.emulated.gun import EmulatedTransport, emulated_gun
from mesogun.emulated.serve import served
from mesogun.errors import LinkError, PortError
from mesogun.link import SerialTransport, Transport
from mesogun.ports import EMULATED, Simulation, open_emulated
from mesogun.virtual.serve import TcpOutlet

BOARD_ID = "0123456789abcdef"


@pytest.fixture
def flash(tmp_path: Path) -> Path:
    return tmp_path / f"{BOARD_ID}.rp2040"


def simulation(speed: float | None = None) -> Simulation:
    return Simulation(get_syringe("bd-plastipak-5"), get_needle("30g-4"), speed=speed)


def open_gun(image: Path, flash: Path) -> EmulatedTransport:
    return EmulatedTransport(simulation().settings(), image, flash)


def ask(transport: Transport, script: bytes) -> bytes:
    """Run a script at the raw REPL and return what it printed."""
    transport.write(b"\r\x03\x03\x01")
    heard = b""
    while not heard.endswith(b"to exit\r\n>"):
        heard += transport.read(1.0)
    transport.write(script + b"\x04")
    said = b""
    while said.count(b"\x04") < 2:
        said += transport.read(1.0)
    return said[2 : said.index(b"\x04")].strip()


def test_what_a_dead_process_has_written_is_still_on_the_flash(image: Path, flash: Path) -> None:
    child = (
        "import os, sys\n"
        "from tests.emulated.test_gun import ask, open_gun\n"
        "from pathlib import Path\n"
        "gun = open_gun(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "ask(gun, b\"with open('/kept', 'w') as f: f.write('safe')\")\n"
        "os.kill(os.getpid(), 9)\n"
    )
    roots = [path for path in sys.path if path.endswith(("/host", "/protocol"))]
    subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path[:0] = {roots}\n{child}",
            str(image),
            str(flash),
        ],
        check=False,
        timeout=60,
    )
    gun = open_gun(image, flash)
    said = ask(gun, b"import machine\nprint(open('/kept').read(), machine.unique_id().hex())")
    assert said == f"safe {BOARD_ID}".encode()
    gun.close()


def test_a_gun_belongs_to_one_process_and_ends_with_close(image: Path, flash: Path) -> None:
    gun = open_gun(image, flash)
    with pytest.raises(PortError, match="in use"):
        open_gun(image, flash)
    gun.close()
    gun.close()
    with pytest.raises(LinkError, match="switched off"):
        gun.read(0)
    open_gun(image, flash).close()


def test_time_passes_only_in_read_and_as_long_as_asked(image: Path, flash: Path) -> None:
    gun = open_gun(image, flash)
    gun.read(0.2)
    before_ns = gun.world.now_ns
    gun.write(b"")
    assert gun.read(0.05) == b""
    assert gun.world.now_ns - before_ns == 50_000_000
    gun.close()


def test_a_flash_file_must_name_its_board(image: Path, tmp_path: Path) -> None:
    with pytest.raises(PortError, match="16 hexadecimal digits"):
        open_gun(image, tmp_path / "gun.rp2040")


@pytest.mark.usefixtures("image")
def test_there_is_one_emulated_gun_and_it_keeps_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path / "guns"))
    first = emulated_gun()
    gun = open_emulated(simulation())
    assert gun.name == EMULATED
    assert gun.board_id.hex() == first.stem
    gun.close()
    assert emulated_gun() == first


def test_serial_programs_talk_to_it_on_a_pseudo_terminal(image: Path, flash: Path) -> None:
    gun = open_gun(image, flash)
    with served(gun) as url:
        port = SerialTransport(url)
        assert ask(port, b"print(6 * 7)") == b"42"
        port.close()
        copied = flash.with_name("copied.py")
        copied.write_bytes(bytes(range(32, 127)) * 40)
        for arguments in (("cp", str(copied), ":copied.py"), ("sha256sum", ":copied.py")):
            told = subprocess.run(
                [sys.executable, "-m", "mpremote", "connect", url, "fs", *arguments],
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            )
        digest = subprocess.run(
            ["sha256sum", str(copied)], capture_output=True, text=True, check=True
        )
        assert digest.stdout.split()[0] in told.stdout
    gun.close()


def test_serial_programs_talk_to_it_on_tcp(image: Path, flash: Path) -> None:
    gun = open_gun(image, flash)
    outlet = TcpOutlet("127.0.0.1:0")
    with served(gun, outlet) as url, serial.serial_for_url(url, timeout=20) as port:
        port.write(b"\r\x03\x03\x01")
        assert port.read_until(b"to exit\r\n>").endswith(b">")
        port.write(b"print(6 * 7)\x04")
        assert port.read_until(b"\x04").startswith(b"OK42")
    gun.close()
