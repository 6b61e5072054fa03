"""A short run of the host's fuzzing; `make fuzz` is the long one."""

import random

import pytest

import fuzz_targets

INPUTS = {"frames": 20_000, "bodies": 20_000, "records": 20_000, "programs": 300}


def damaged(dice: random.Random, data: bytes) -> bytes:
    """Return `data` with some bytes changed, cut, put in or doubled."""
    made = bytearray(data)
    for _ in range(dice.randint(0, 6)):
        at = dice.randint(0, len(made))
        choice = dice.randrange(4)
        if choice == 0 and at < len(made):
            made[at] ^= 1 << dice.randrange(8)
        elif choice == 1:
            del made[at : at + dice.randint(1, 20)]
        elif choice == 2:
            made[at:at] = dice.randbytes(dice.randint(1, 20))
        else:
            made[at:at] = made[: dice.randint(0, 60)]
    return bytes(made)


@pytest.mark.req("R34", "R35")
@pytest.mark.parametrize("target", fuzz_targets.TARGETS)
def test_no_input_is_too_strange(target: str) -> None:
    dice = random.Random(f"fuzz {target}")
    sound = fuzz_targets.examples(target)
    act = fuzz_targets.TARGETS[target]
    for _ in range(INPUTS[target]):
        noise = dice.randbytes(dice.randint(0, 80))
        act(damaged(dice, dice.choice([*sound, noise])))
