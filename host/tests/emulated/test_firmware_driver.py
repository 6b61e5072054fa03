"""The self-test asks the stepper driver before it is switched on."""

from collections.abc import Callable

import pytest

from mesogun.emulated.copies import in_copy
from mesogun.emulated.tmc2209 import DRV_STATUS, Tmc2209
from mesogun.gun import Refused
from mesogun_protocol.enums import ControllerState, ErrorCode, SelfTest
from tests.emulated.firmware_gun import SHOT, SHOT_STEPS, FirmwareGun


def _silence(driver: Tmc2209) -> None:
    driver.silent = True


def _lose_one(driver: Tmc2209) -> None:
    driver.lose = 1


def _starve(driver: Tmc2209) -> None:
    driver.undervoltage = True


def _short(driver: Tmc2209) -> None:
    driver.registers[DRV_STATUS] |= 1 << 2


def _restore(driver: Tmc2209) -> None:
    driver.silent = driver.undervoltage = False
    driver.registers[DRV_STATUS] &= ~(1 << 2)


@pytest.mark.req("R20")
def test_a_driver_that_is_not_in_order_is_never_switched_on(firmware_gun: FirmwareGun) -> None:
    cases: list[tuple[Callable[[Tmc2209], None], SelfTest]] = [
        (_silence, SelfTest.DRIVER_SILENT),
        (_lose_one, SelfTest.DRIVER_SETTINGS),
        (_starve, SelfTest.DRIVER_SUPPLY),
        (_short, SelfTest.DRIVER_FAULT),
    ]

    def work() -> None:
        gun = firmware_gun.load()
        crc = gun.gun.upload([SHOT]).program_crc
        for number, (spoil, test) in enumerate(cases, 10):
            spoil(gun.world.driver)
            with pytest.raises(Refused, match=f"self-test {int(test)} failed: the ") as refused:
                gun.gun.arm(number, crc)
            assert refused.value.code is ErrorCode.SELF_TEST
            assert gun.gun.status().state is ControllerState.READY
            _restore(gun.world.driver)
        assert not any(edge.pin == gun.world.board.enable for edge in gun.pico.edges)
        gun.gun.arm(1, crc)
        assert gun.world.driver_on
        gun.gun.start(1)
        gun.run(300)
        assert gun.world.forward_steps == SHOT_STEPS

    in_copy(work)
