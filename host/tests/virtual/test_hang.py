"""What hardware goes on to do once the processor says nothing more."""

import copy

import pytest

from mesogun.gun import Gun
from mesogun.program.planned import PlannedStep
from mesogun.virtual.gun import VirtualTransport
from mesogun.virtual.world import World
from mesogun_protocol.enums import StepKind, TriggerMode

_PL_PER_STEP = 25_000
_SHOT_STEPS = 400
_SHOTS = 8


def _steps_left(world: World) -> int:
    """Steps that the pulse engine would make if nobody ever spoke to it again."""
    alone = copy.deepcopy(world.stream)
    alone.advance(world.now_ns + 10**12)
    return alone.forward_steps - world.stream.forward_steps


@pytest.mark.req("R17")
@pytest.mark.parametrize("trigger", [TriggerMode.AUTO, TriggerMode.HOLD])
def test_hardware_alone_makes_the_rest_of_one_shot_at_most(
    transport: VirtualTransport, trigger: TriggerMode
) -> None:
    world, panel = transport.world, transport.panel
    gun = Gun.open(transport)
    gun.load_syringe(_PL_PER_STEP, 4_000_000, 800, 1, 164)
    gun.set_limits(4_000_000, 1_000_000, 1000)
    step = PlannedStep(
        StepKind.SHOTS, trigger, dose_nl=10_000, inject_us=100_000, period_us=200_000, count=_SHOTS
    )
    gun.arm(1, gun.upload([step]).program_crc)
    gun.start(1)
    panel.trigger = trigger is TriggerMode.HOLD
    begin_ns, before = world.now_ns, world.stream.forward_steps
    seen = set()
    while world.now_ns < begin_ns + 1_500_000_000:
        world.run_unheard(world.now_ns + 1_300_000)
        made = (world.stream.forward_steps - before) % _SHOT_STEPS
        left = _steps_left(world)
        seen.add((made > 0, left > 0))
        assert made + left in (0, _SHOT_STEPS)
    assert seen == {(False, False), (False, True), (True, True)}
    gun.stop()
