"""Measures how fast a store takes records in."""

from collections.abc import Iterator
from time import perf_counter

from mesogun.records.store import Store
from mesogun_protocol.enums import EndReason, RecordKind, StepKind
from mesogun_protocol.records import encode_record


def measure_ingest(store: Store, records: int = 20_000, batch: int = 5_000) -> float:
    """Return records stored a second by the wall clock, commits included.

    Args:
        store: takes up `records` new rows of a board that is used for nothing else.
        records: how many shot results to store; making them is not in the time.
        batch: records of one call.
    """
    made = list(_results(records))
    batches = [made[i : i + batch] for i in range(0, records, batch)]
    begin = perf_counter()
    for each in batches:
        store.ingest("00" * 8, each)
    return records / (perf_counter() - begin)


def _results(count: int) -> Iterator[bytes]:
    for sequence in range(count):
        yield encode_record(
            sequence,
            1,
            RecordKind.SHOT_RESULT,
            0,
            250 * sequence,
            shot=sequence % (1 << 16),
            pressure_kpa=80,
            forward_steps=485,
            motion_ms=120,
            backward_steps=0,
            reason=EndReason.COMPLETE,
            purpose=StepKind.SHOTS,
        )
