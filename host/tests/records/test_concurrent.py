"""Several programs at one store: whatever comes together, each record is there exactly once."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mesogun.records import Session, Store
from mesogun.records.tables import STORE_VERSION
from tests.records.old_layouts import back_to_layout_1

BOARDS = ("e6614104037a5b2c", "00000000000000aa")
SHOTS = 60

HOST = """
import json, sys
from mesogun.records import ClockMapping, Store
task = json.load(open(sys.argv[1]))
if task["early"]:
    store = Store.open(task["url"], busy_timeout_s=60)
print("ready", flush=True)
sys.stdin.readline()
if not task["early"]:
    store = Store.open(task["url"], busy_timeout_s=60)
stored = duplicates = conflicts = 0
for board, records in task["batches"]:
    result = store.ingest(board, [bytes.fromhex(raw) for raw in records])
    stored += result.stored
    duplicates += result.duplicates
    conflicts += len(result.conflicts)
    for session in store.unfinished_sessions(board):
        if task["seal"]:
            store.seal_session(session.id, ClockMapping(1.9e9, 1.0))
print(json.dumps([stored, duplicates, conflicts]))
"""
"""A host of its own: opens the store, waits for the others, stores its batches."""


def run_together(
    folder: Path,
    url: str,
    hosts: list[list[tuple[str, list[bytes]]]],
    *,
    seal: bool = True,
    early: bool = True,
) -> list[list[int]]:
    """Let a process a host store its batches, all at once; return what became of the records.

    Args:
        folder: for the hosts' tasks.
        url: the store.
        hosts: the batches of each: a board and its records.
        seal: seal the sessions of the board after each batch, as a sync does.
        early: open the store before the others begin; else open it all at once too.
    """
    processes: list[subprocess.Popen[str]] = []
    for number, batches in enumerate(hosts):
        task = folder / f"host{number}.json"
        hexed = [(board, [raw.hex() for raw in records]) for board, records in batches]
        task.write_text(json.dumps({"url": url, "batches": hexed, "seal": seal, "early": early}))
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", HOST, str(task)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        )
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return [json.loads(answer) for answer in answers]


def batches(board_id: str, journal: list[bytes], size: int) -> list[tuple[str, list[bytes]]]:
    return [(board_id, journal[at : at + size]) for at in range(0, len(journal), size)]


def prepared(
    store: Store,
    board: Any,
    make_session: Callable[..., Session],
    board_id: str,
    shots: int = SHOTS,
) -> tuple[str, list[bytes]]:
    """A session that is made and whose records are still in the gun."""
    session = store.create_session(make_session(board_id=board_id, shots_planned=shots))
    board.boot()
    board.syringe()
    board.start(session)
    board.shots(shots)
    board.end()
    return session.id, board.journal


def assert_whole(store: Store, name: str, journal: list[bytes]) -> None:
    report = store.verify(name)
    assert report.ok, report.problems
    view = store.session_view(name)
    assert view.complete
    assert view.shots_delivered == SHOTS
    assert view.record_count == len(journal) - 2  # without the boot and the syringe before it


@pytest.mark.req("R41")
def test_two_hosts_that_sync_the_same_gun_at_once(
    any_url: str, tmp_path: Path, make_board: type[Any], make_session: Callable[..., Session]
) -> None:
    with Store.open(any_url) as store:
        name, journal = prepared(store, make_board(), make_session, BOARDS[0])
        hosts = [batches(BOARDS[0], journal, size) for size in (7, 11)]
        results = run_together(tmp_path, any_url, hosts)
        assert sum(stored for stored, _, _ in results) == len(journal)
        assert sum(sum(result) for result in results) == 2 * len(journal)
        assert all(conflicts == 0 for _, _, conflicts in results)
        assert_whole(store, name, journal)


@pytest.mark.req("R41")
def test_two_guns_that_are_synced_into_the_same_store_at_once(
    any_url: str, tmp_path: Path, make_board: type[Any], make_session: Callable[..., Session]
) -> None:
    with Store.open(any_url) as store:
        made = [prepared(store, make_board(), make_session, board) for board in BOARDS]
        hosts = [
            batches(board, journal, 9) for board, (_, journal) in zip(BOARDS, made, strict=True)
        ]
        results = run_together(tmp_path, any_url, hosts)
        assert results == [[len(journal), 0, 0] for _, journal in made]
        for name, journal in made:
            assert_whole(store, name, journal)


def test_records_that_come_backwards_at_the_same_time(
    any_url: str, tmp_path: Path, make_board: type[Any], make_session: Callable[..., Session]
) -> None:
    with Store.open(any_url) as store:
        name, journal = prepared(store, make_board(), make_session, BOARDS[0])
        # Rows are locked in opposite orders: one of two has to give way and begin again.
        forward = batches(BOARDS[0], journal, 50)
        hosts = [forward, [(board, records[::-1]) for board, records in reversed(forward)]]
        results = run_together(tmp_path, any_url, hosts, seal=False)
        assert sum(stored for stored, _, _ in results) == len(journal)
        store.seal_session(name)
        assert_whole(store, name, journal)


def test_two_guns_that_claim_the_same_number(
    any_url: str, tmp_path: Path, make_board: type[Any], make_session: Callable[..., Session]
) -> None:
    with Store.open(any_url) as store:
        _, journal = prepared(store, make_board(), make_session, BOARDS[0])
        forged = make_board(clock_ms=99)
        forged.boot()
        forged.shots(SHOTS)
        hosts = [[(BOARDS[0], records)] for records in (journal, forged.journal)]
        results = run_together(tmp_path, any_url, hosts, seal=False)
        both = {raw[:6] for raw in journal} & {raw[:6] for raw in forged.journal}
        same = set(journal) & set(forged.journal)
        assert sum(conflicts for _, _, conflicts in results) == len(both) - len(same) > 0
        with store._database.read() as db:
            kept = {
                row[0]
                for table in ("records", "conflicts")
                for row in db.execute(text(f"select raw from {table}"))
            }
        assert {bytes(raw) for raw in kept} == {*journal, *forged.journal}


def test_a_store_that_three_hosts_make_at_once(any_url: str, tmp_path: Path) -> None:
    results = run_together(tmp_path, any_url, [[]] * 3, early=False)
    assert results == [[0, 0, 0]] * 3
    with Store.open(any_url) as store, store._database.read() as db:
        assert db.execute(text("select version from mesogun_store")).all() == [(STORE_VERSION,)]


def test_a_store_that_three_hosts_bring_up_at_once(
    any_url: str, tmp_path: Path, make_board: type[Any], make_session: Callable[..., Session]
) -> None:
    with Store.open(any_url) as store:
        name, journal = prepared(store, make_board(), make_session, BOARDS[0])
        store.ingest(BOARDS[0], journal)
        store.seal_session(name)
        back_to_layout_1(store._database)
    run_together(tmp_path, any_url, [[]] * 3, early=False)
    with Store.open(any_url) as store:
        assert_whole(store, name, journal)
    assert len(list(tmp_path.glob("*layout-1*"))) == any_url.startswith("sqlite")
