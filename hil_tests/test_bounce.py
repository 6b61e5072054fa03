"""Contacts bounce; a press is one press all the same (R21)."""

import random

import pytest
from benches.bench import Bench
from sessions import load, shots, some, start

from mesogun.gun import Gun
from mesogun_protocol.enums import ControllerState, OnRelease, TriggerMode

_TRAINS = 40  # a look


def _bounce(bench: Bench, dice: random.Random, to_pressed: bool) -> None:
    """Bring the trigger to its new state with a train of 1 to 10 ms bounces, 50 ms at most."""
    left_s = 0.05
    pressed = to_pressed
    while left_s > 0:
        bench.press() if pressed else bench.release()
        pause_s = min(dice.uniform(0.001, 0.010), left_s)
        bench.run_for(pause_s)
        left_s -= pause_s
        pressed = not pressed
        if dice.random() < 0.1:
            break
    bench.press() if to_pressed else bench.release()


@pytest.mark.sampled
@pytest.mark.req("R21")
@pytest.mark.parametrize("seed", range(3))
def test_a_bouncing_press_is_counted_once(bench: Bench, gun: Gun, seed: int) -> None:
    dice = random.Random(f"bounce {seed}")
    load(gun)
    looks = some(bench, 10)
    for count in range(1, looks * _TRAINS + 1):
        _bounce(bench, dice, True)
        bench.run_for(dice.uniform(0.055, 0.2))
        _bounce(bench, dice, False)
        bench.run_for(dice.uniform(0.055, 0.2))
        if count % _TRAINS == 0:
            assert gun.status().presses == count


@pytest.mark.req("R21")
def test_a_bouncing_press_is_one_shot(bench: Bench, gun: Gun) -> None:
    dice = random.Random("one shot")
    presses = some(bench, _TRAINS)
    start(gun, shots(presses, TriggerMode.PRESS))
    for made in range(1, presses + 1):
        _bounce(bench, dice, True)
        bench.run_for(dice.uniform(0.055, 0.3))
        _bounce(bench, dice, False)
        bench.run_for(dice.uniform(0.2, 0.3))
        assert gun.status().shots_done == made
    assert gun.status().state is ControllerState.DONE


@pytest.mark.req("R13", "R21")
def test_a_bouncing_release_makes_no_shot(bench: Bench, gun: Gun) -> None:
    dice = random.Random("release")
    start(gun, shots(100, TriggerMode.HOLD, OnRelease.STOP))
    for _ in range(some(bench, 20)):
        _bounce(bench, dice, True)
        bench.run_for(dice.uniform(0.055, 0.5))
        bench.release()
        released_ns = bench.now_ns()
        _bounce(bench, dice, False)
        bench.run_for(0.5)
        assert not bench.edges_since(released_ns + 20_000_000)
