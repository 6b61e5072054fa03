"""Nothing is allocated while shots run: not by dosing and planning, and not by the journal."""
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

import gc

import mark
from simflash import SECTOR_BYTES, SimFlash

from gun import wire
from gun.dose import Doser
from gun.journal import Journal
from gun.motion import Block, Timing

_BLANK = b"\xff" * SECTOR_BYTES


class QuietFlash(SimFlash):
    """Reads without taking memory, so that what is taken is the journal's."""

    def __init__(self):
        super().__init__()
        for sector in range(3):
            self.materialise(sector)

    def read(self, offset, buf):
        sector = self.sectors[offset // SECTOR_BYTES] or _BLANK
        for index in range(len(buf)):
            buf[index] = sector[offset % SECTOR_BYTES + index]


def _heap_taken(work):
    work()  # what a first call caches is not the shot's
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    work()
    return gc.mem_alloc() - before


@mark.req("R43")
def test_a_hundred_shots_are_planned_without_allocating():
    doser = Doser()
    doser.load(41283)
    timing = Timing()
    timing.set(727, 150000, 300000, 20000, 121, 122, 4000)
    blocks = (Block(), Block())

    def shots():
        for shot in range(100):
            doser.mark()
            dose = doser.take(30000)
            film = doser.take(5000)
            blocks[shot & 1].plan(timing, 121, dose, 121, film)
            if shot % 7 == 0:
                doser.undo()

    assert _heap_taken(shots) == 0


@mark.req("R43")
def test_records_are_appended_without_allocating():
    journal = Journal(QuietFlash())
    journal.open()

    def records():
        for shot in range(100):
            wire.pack_record_shot_intent(journal.body, 0, shot, 726, 121, 121, wire.STEP_SHOTS, 99)
            journal.append(wire.RECORD_SHOT_INTENT, 0, shot)

    assert _heap_taken(records) == 0
    assert journal.next == 201
