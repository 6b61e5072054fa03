"""The virtual operator's hand: it follows the light, however fast the gun is."""

from mesogun.virtual.panel import Operator, Panel
from mesogun_protocol.enums import Light

_MS_NS = 1_000_000


def _let_act(operator: Operator, now_ns: int) -> int:
    """Let the hand do what is due next; return when it has."""
    at_ns = operator.next_ns(now_ns)
    assert at_ns is not None, "the hand rests"
    operator.act(at_ns)
    return at_ns


def test_a_trigger_that_is_down_when_a_press_is_asked_for_is_let_go_first() -> None:
    panel = Panel(light=Light.PRESS)
    operator = Operator(panel, 1)
    now_ns = _let_act(operator, 0)
    assert panel.trigger
    # The shot is shorter than the press.
    panel.light = Light.RUNNING
    operator.next_ns(now_ns + 10 * _MS_NS)
    panel.light = Light.PRESS
    now_ns = _let_act(operator, now_ns + 50 * _MS_NS)
    assert not panel.trigger
    _let_act(operator, now_ns)
    assert panel.trigger
