"""The virtual gun that most of these tests begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mesogun.catalog import get_needle, get_syringe
from mesogun.ports import Simulation
from mesogun.virtual.gun import VirtualTransport


@pytest.fixture
def transport(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualTransport]:
    """A gun that is powered, as fast as it goes, and closed after the test."""
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path))
    simulation = Simulation(get_syringe("bd-plastipak-5"), get_needle("30g-4"), speed=None)
    transport = VirtualTransport(simulation.settings())
    yield transport
    transport.close()
