from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("rp2040py", reason="the emulator is missing: pip install 'mesogun[emulator]'")

from mesogun.emulated.pico import Pico
from tests.emulated.firmware_gun import FirmwareGun, boot
from tests.emulated.raw_repl import RawRepl
from tests.found_image import found_image


@pytest.fixture(scope="session")
def image() -> Path:
    return found_image()


@pytest.fixture
def make_pico(image: Path) -> Callable[..., Pico]:
    return lambda **settings: Pico(image, **settings)


@pytest.fixture
def pico(make_pico: Callable[..., Pico]) -> Pico:
    return make_pico()


@pytest.fixture
def repl(pico: Pico) -> RawRepl:
    return RawRepl(pico)


@pytest.fixture(scope="session")
def firmware_gun(image: Path) -> FirmwareGun:
    """One gun that has booted; what a test does to it happens in a copy (`in_copy`)."""
    return boot(image)
