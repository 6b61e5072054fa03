import pytest

from mesogun.emulated.light import BLUE, FLASHING, GREEN, RED, STEADY, LightReader
from mesogun_protocol.enums import Light

MS = 1_000_000


@pytest.mark.parametrize("light", FLASHING)
def test_a_flashing_light_is_read_when_it_first_goes_out(light: Light) -> None:
    reader = LightReader()
    colour, on_ms = FLASHING[light]
    reader.change(5 * MS, colour)
    reader.change((5 + on_ms) * MS, 0)
    assert reader.look((5 + on_ms) * MS) is light
    reader.change((800 + on_ms) * MS, colour)
    assert reader.look((805 + on_ms) * MS) is light


@pytest.mark.parametrize(("colour", "light"), STEADY.items())
def test_a_steady_light_is_read_after_a_while(colour: int, light: Light) -> None:
    reader = LightReader()
    reader.change(0, BLUE)
    reader.change(150 * MS, 0)
    assert reader.look(150 * MS) is Light.PRESS
    reader.change(300 * MS, colour)
    due_ns = reader.next_ns(300 * MS)
    assert due_ns is not None
    assert reader.look(due_ns) is light
    assert reader.next_ns(due_ns) is None


def test_lamps_that_are_switched_one_after_the_other_are_one_colour() -> None:
    reader = LightReader()
    reader.change(10 * MS, RED)
    reader.change(10 * MS + 20_000, RED | GREEN)
    reader.change(10 * MS + 40_000, RED | GREEN | BLUE)
    assert reader.look(11 * MS) is Light.RUNNING
