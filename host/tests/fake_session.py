"""What tests of the gun begin with: a fake gun that is loaded, and programs for it."""

from dataclasses import dataclass

from mesogun.gun import Gun, UploadReceipt
from mesogun_protocol.enums import OnRelease, StepKind, TriggerMode
from tests.fake_cable import FakeCable
from tests.fake_gun import FakeGun

PL_PER_STEP = 40_000


@dataclass(frozen=True)
class Step:
    """A step as a planner makes them; twenty shots of 10 ul at 4 Hz if nothing else is said."""

    kind: StepKind = StepKind.SHOTS
    trigger: TriggerMode = TriggerMode.AUTO
    on_release: OnRelease = OnRelease.FINISH
    count: int = 20
    dose_nl: int = 10_000
    inject_us: int = 100_000
    period_us: int = 250_000
    ramp_us: int = 0
    retract_nl: int = 0
    film_nl: int = 0
    film_every: int = 0
    stored_nl: int = 0
    rise_kpa: int = 80
    limit_kpa: int = 300


PAUSE = Step(StepKind.PAUSE, count=1, dose_nl=0, inject_us=0, period_us=0)


def loaded() -> tuple[Gun, FakeCable, FakeGun]:
    """A gun with syringe and limits."""
    device = FakeGun()
    cable = FakeCable(device)
    gun = Gun.open(cable)
    gun.load_syringe(PL_PER_STEP, 10_000_000, 600, 3, 160)
    gun.set_limits(10_000_000, 1_000_000, 10_800)
    return gun, cable, device


def armed(*steps: Step, session_id: int = 7) -> tuple[Gun, FakeCable, FakeGun]:
    """A gun that waits for START."""
    gun, cable, device = loaded()
    receipt: UploadReceipt = gun.upload(steps or (Step(),))
    gun.arm(session_id, receipt.program_crc)
    return gun, cable, device
