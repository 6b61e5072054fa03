"""The hard bounds on the wire. Standard library only: the device's constants come from here.

The device enforces each of them whatever the host sent; the host checks the same numbers first.
Bounds of a technique or a treatment are clinical data and live in the host's catalog; these here
are what the machine itself never exceeds. Requirement ids refer to `docs/safety/requirements.toml`.
"""

from typing import Final

PROTOCOL_VERSION: Final = 1

FRAME_BODY_MAX: Final = 512
"""Longest message body in bytes; a longer frame is dropped by both sides."""

# Doses
DOSE_MIN_NL: Final = 1_000
DOSE_MAX_NL: Final = 1_000_000
"""One shot: 1 ul to 1 ml. 1 ml in picolitres still fits a small integer of a 32-bit MicroPython."""
PRIME_MAX_NL: Final = 1_000_000
"""R29."""
FLOW_MAX_NL: Final = 10_000_000
SESSION_MAX_NL: Final = 10_000_000
RETRACT_MAX_NL: Final = 50_000
"""R12."""
FILM_MAX_NL: Final = 50_000
SYRINGE_MAX_NL: Final = 12_000_000
PL_PER_STEP_MIN: Final = 500
PL_PER_STEP_MAX: Final = 200_000

# Times
INJECT_MIN_US: Final = 10_000
INJECT_MAX_US: Final = 10_000_000
FLOW_MIN_US: Final = 100_000
FLOW_MAX_US: Final = 2_700_000_000
"""45 min, the longest session."""
PERIOD_MIN_US: Final = 100_000
"""R04: not more than 10 shots a second, whoever starts them."""
PERIOD_MAX_US: Final = 120_000_000
DWELL_MIN_US: Final = 50_000
"""Rest at the end of each period in which the device reads the witness, records the shot and hands
over the next one. On the emulated RP2040 at 125 MHz, from the last step on: 5 ms to the look at the
witness, 8 ms for a host that reads records, 17 ms for a garbage collection, 7 and 6 ms for result
and intent with page programs of 3 ms, the longest in the flash's datasheet."""
RAMP_MAX_US: Final = 1_000_000
SHOTS_MAX: Final = 10_800
"""A step's longest train: 45 min at 4 shots/s."""
PROGRAM_STEPS_MAX: Final = 16

HEARTBEAT_TIMEOUT_MS: Final = 2_000
"""R22."""
ARMED_ALERT_MS: Final = 300_000
ARMED_DISARM_MS: Final = 600_000
"""R23."""
STUCK_TRIGGER_MS: Final = 60_000
"""R21."""
DEBOUNCE_DEFAULT_MS: Final = 50
"""R21: bounce trains up to 50 ms count as one press."""
PRIME_CONFIRM_MS: Final = 30_000
"""The second action of a prime, a press of the trigger, must come within this time."""

# Motion
STEP_RATE_MAX_HZ: Final = 100_000
BUDGET_MARGIN_PERCENT: Final = 1
"""R05."""
LOW_VOLUME_PERCENT: Final = 10
LOW_VOLUME_SHOTS: Final = 10
"""R27."""
PRESSURE_LIMIT_MAX_KPA: Final = 2_000
CLOSED_PA_MAX: Final = 20_000
"""A stiff 1 ml syringe on a coarse screw makes 5,000 Pa a step."""

# Journal
RECORD_BYTES: Final = 32
RECORDS_PER_READ: Final = 15
"""Records in one RECORDS message: 480 bytes."""
FLASH_PAGE_BYTES: Final = 256
FLASH_SECTOR_BYTES: Final = 4096
JOURNAL_SECTORS: Final = 256
"""1 MiB: 32,511 records, R40 asks for 20,000."""
JOURNAL_DIGEST_BYTES: Final = 12
"""Of each SHA-256 of the journal's running hash: as many as ACKNOWLEDGED has room for."""
PROGRESS_MS: Final = 5_000
"""A shot or flow that lasts longer is recorded as far as it has come, each time this has passed."""
WATCHDOG_MS: Final = 2_000
"""R18: a device that hangs, and with it the motion that it began, ends after this time."""

PROGRAM_CHUNK_BYTES: Final = 256
REPLY_CACHE: Final = 8
"""Requests whose replies the device keeps, so that a repeated one is not carried out twice."""
