"""Program, journal and configuration once through on MicroPython, whose library is smaller."""
# pyright: reportMissingImports=false

import struct

import mark
from simflash import PowerCut, SimFlash

from gun import wire
from gun.config import Config
from gun.journal import Journal, JournalError
from gun.program import Program, ProgramRefused


class Limits:
    session_nl = 1000000
    shot_nl = 100000
    shots = 100


def _raised(kind, function, *arguments):
    try:
        function(*arguments)
    except kind as error:
        return error
    raise AssertionError("raised nothing")


def _load(program, total_nl, step):
    data = struct.pack("<BI", 1, total_nl) + struct.pack("<BBBIIIIIIIBIHH", *step)
    program.load(data, len(data), Limits, 41283, 5000000, 40000, 4000)


@mark.req("R01")
def test_a_program_is_taken_or_refused():
    program = Program()
    step = [1, 0, 0, 9, 30000, 150000, 400000, 20000, 5000, 4000, 2, 0, 80, 200]
    _load(program, 286000, step)
    assert (program.length, program.shots, program.volume_nl) == (1, 9, 286000)
    assert (program.dose_steps, program.duration_ms) == (6927, 3600)
    step[5] = 9999
    refused = _raised(ProgramRefused, _load, program, 286000, step)
    assert refused.args == (wire.ERROR_OUT_OF_RANGE, 5, 9999, 10000, 10000000)
    assert program.length == 0


def _append(journal, count):
    for value in range(count):
        wire.pack_record_config(journal.body, 0, value, 0, wire.CONFIG_LEAD_NM)
        journal.append(wire.RECORD_CONFIG, wire.STEP_NONE, value)


def _read(journal, sequence):
    buf = bytearray(wire.RECORD_BYTES)
    if not journal.read(sequence, 1, buf, 0):
        return None
    return wire.unpack_record_head(buf, 0, wire.SIZE_RECORD_HEAD)[0]


@mark.req("R40")
def test_the_journal_outlives_a_power_cut():
    flash = SimFlash()
    journal = Journal(flash)
    journal.open()
    _append(journal, 300)
    flash.cut_after = 10
    _raised(PowerCut, _append, journal, 1)
    flash.restore_power()
    journal = Journal(flash)
    journal.open()
    assert (journal.next, journal.boot_id, journal.oldest) == (302, 2, 1)
    _append(journal, 1)
    read = [_read(journal, sequence) for sequence in (1, 300, 301, 302, 303)]
    assert read == [1, 300, 302, 302, None]
    journal.acknowledge(200, 0)
    while journal.maintain():
        pass
    assert (journal.oldest, journal.acknowledged) == (128, 200)


@mark.req("R40")
def test_a_record_that_reads_back_wrong_is_an_error():
    flash = SimFlash()
    journal = Journal(flash)
    journal.open()
    _append(journal, 1)
    flash.stuck_at = 2 * wire.RECORD_BYTES
    _raised(JournalError, _append, journal, 1)
    assert not journal.sound


def test_the_configuration_is_kept():
    flash = SimFlash()
    config = Config(flash)
    config.set(wire.CONFIG_LEAD_NM, 900000)
    config.set(wire.CONFIG_DEBOUNCE_MS, 80)
    config = Config(flash)
    assert (config.get(wire.CONFIG_LEAD_NM), config.get(wire.CONFIG_DEBOUNCE_MS)) == (900000, 80)
    assert config.sound
