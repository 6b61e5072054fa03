"""The gun's numbers survive a power cut at any byte, as they were or as they were to be."""

import random
from contextlib import suppress
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun_protocol import limits
from mesogun_protocol.enums import ConfigKey

config_module: Any = import_module("gun.config")
simflash: Any = import_module("simflash")

FIRST_SECTOR = limits.JOURNAL_SECTORS
KEYS = st.sampled_from(ConfigKey)


def all_of(config: Any) -> dict[ConfigKey, int]:
    return {key: config.get(key) for key in ConfigKey}


def test_a_new_gun_has_the_values_of_the_table() -> None:
    config = config_module.Config(simflash.SimFlash())
    assert all_of(config) == {
        ConfigKey.BOARD_REVISION: 1,
        ConfigKey.LEAD_NM: 800_000,
        ConfigKey.STEPS_PER_TURN: 3200,
        ConfigKey.MAX_STEP_RATE_HZ: 40_000,
        ConfigKey.MAX_STEP_RATE_START_HZ: 4_000,
        ConfigKey.DEBOUNCE_MS: limits.DEBOUNCE_DEFAULT_MS,
        ConfigKey.PRESSURE_LIMIT_KPA: 1000,
    }
    assert config.sound
    for key in ConfigKey:
        assert 0 < config.minimum(key) <= config.get(key) <= config.maximum(key)
    assert config.maximum(ConfigKey.MAX_STEP_RATE_HZ) == limits.STEP_RATE_MAX_HZ
    assert config.maximum(ConfigKey.PRESSURE_LIMIT_KPA) == limits.PRESSURE_LIMIT_MAX_KPA


@given(st.lists(st.tuples(KEYS, st.integers(0, 0xFFFFFFFF)), max_size=10))
def test_what_is_written_is_kept_and_what_is_out_of_bounds_is_refused(
    writes: list[tuple[ConfigKey, int]],
) -> None:
    flash = simflash.SimFlash()
    config = config_module.Config(flash)
    expected = all_of(config)
    for key, value in writes:
        if config.minimum(key) <= value <= config.maximum(key):
            config.set(key, value)
            expected[key] = value
        else:
            with pytest.raises(ValueError, match=f"key {int(key)} takes .*, not {value}"):
                config.set(key, value)
        assert all_of(config) == all_of(config_module.Config(flash)) == expected
        assert config.sound


@pytest.mark.parametrize("key", ConfigKey)
def test_both_bounds_can_be_written_and_are_kept(key: ConfigKey) -> None:
    flash = simflash.SimFlash()
    config = config_module.Config(flash)
    for value in (config.minimum(key), config.maximum(key)):
        config.set(key, value)
        assert config.get(key) == config_module.Config(flash).get(key) == value


def test_the_two_copies_take_turns_and_leave_the_journal_alone() -> None:
    flash = simflash.SimFlash()
    config = config_module.Config(flash)
    for value in range(100, 110):
        config.set(ConfigKey.DEBOUNCE_MS, value)
    assert flash.erasures == [0] * FIRST_SECTOR + [5, 5]
    assert config_module.Config(flash).get(ConfigKey.DEBOUNCE_MS) == 109


@pytest.mark.req("R40")
@given(st.integers(0, 3), st.integers(0, 4096 + 80), st.integers(0, 1 << 32))
def test_a_power_cut_leaves_the_old_or_the_new(written: int, cut_after: int, seed: int) -> None:
    noise = random.Random(seed)
    flash = simflash.SimFlash()
    flash.torn = lambda old: old | noise.choice((0, 0xFF, noise.randrange(256)))
    config = config_module.Config(flash)
    for value in range(written):
        config.set(ConfigKey.LEAD_NM, 500_000 + value)
    old = config.get(ConfigKey.LEAD_NM)
    flash.cut_after = cut_after
    with suppress(simflash.PowerCut):
        config.set(ConfigKey.LEAD_NM, 2_000_000)
    flash.restore_power()
    again = config_module.Config(flash)
    assert again.get(ConfigKey.LEAD_NM) == (2_000_000 if cut_after >= 4096 + 76 else old)
    assert again.sound
    again.set(ConfigKey.LEAD_NM, 3_000_000)
    assert config_module.Config(flash).get(ConfigKey.LEAD_NM) == 3_000_000


def test_a_copy_that_reads_back_wrong_is_an_error_and_changes_nothing() -> None:
    flash = simflash.SimFlash()
    config = config_module.Config(flash)
    config.set(ConfigKey.LEAD_NM, 500_000)
    flash.stuck_at = (FIRST_SECTOR + 1) * 4096 + 5
    with pytest.raises(config_module.ConfigError, match="reads back wrong"):
        config.set(ConfigKey.LEAD_NM, 600_000)
    assert config.get(ConfigKey.LEAD_NM) == 500_000
    assert config_module.Config(flash).get(ConfigKey.LEAD_NM) == 500_000


@pytest.mark.req("R20")
@pytest.mark.parametrize("at", [0, 4, 12, 72])
def test_flash_that_no_longer_holds_what_is_in_use_is_noticed(at: int) -> None:
    flash = simflash.SimFlash()
    config = config_module.Config(flash)
    config.set(ConfigKey.LEAD_NM, 500_000)
    config.set(ConfigKey.LEAD_NM, 700_000)
    flash.materialise(FIRST_SECTOR + 1)[at] ^= 0xFF
    assert not config.sound
    assert config_module.Config(flash).get(ConfigKey.LEAD_NM) == 500_000


def test_a_number_that_another_firmware_left_out_of_bounds_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flash = simflash.SimFlash()
    table = tuple((key, default, 0, 0xFFFFFFFF) for key, default, *_ in config_module._TABLE)
    with monkeypatch.context() as other_firmware:
        other_firmware.setattr(config_module, "_TABLE", table)
        config_module.Config(flash).set(ConfigKey.DEBOUNCE_MS, 5_000_000)
        config_module.Config(flash).set(ConfigKey.LEAD_NM, 900_000)
    config = config_module.Config(flash)
    assert config.get(ConfigKey.DEBOUNCE_MS) == limits.DEBOUNCE_DEFAULT_MS
    assert config.get(ConfigKey.LEAD_NM) == 900_000
