"""A store that fails while a gun delivers: a clear error, nothing acknowledged, nothing lost."""

import sqlite3
from abc import ABC, abstractmethod
from pathlib import Path

import pytest
from sqlalchemy import event, text

from mesogun.catalog import get_needle, get_syringe
from mesogun.errors import RecordError
from mesogun.gun import Gun
from mesogun.ports import Simulation
from mesogun.program import Program, resolve
from mesogun.records import Store
from mesogun.records.tables import STORE_VERSION
from mesogun.sync import sync_gun
from mesogun.treatment import Order, Progress, Treatment
from mesogun.virtual.gun import VirtualGunSettings, VirtualTransport
from tests.records.conftest import Board
from tests.records.postgresql_server import Server

SHOTS = 60


class Trouble(ABC):
    """Something that happens to a store; `text` is what a user reads of it."""

    text: str

    def __init__(self, url: str) -> None:
        self.store = Store.open(url, busy_timeout_s=0)

    @abstractmethod
    def begin(self) -> None: ...

    @abstractmethod
    def end(self) -> None: ...


class Pragma(Trouble):
    """A limit that SQLite is given for each transaction."""

    def limit(self) -> str:
        raise NotImplementedError

    def begin(self) -> None:
        self._limit = self.limit()
        event.listen(self.store._database.engine, "checkout", self._apply)

    def end(self) -> None:
        event.remove(self.store._database.engine, "checkout", self._apply)
        self.store.close()  # its connections keep the limit, new ones have none

    def _apply(self, connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(self._limit).close()


class DiskFull(Pragma):
    text = "cannot grow, the disk is full; nothing of this step was stored. Free some space, then"

    def limit(self) -> str:
        with self.store._database.read() as db:
            pages = db.execute(text("pragma page_count")).scalar_one()
        return f"pragma max_page_count = {pages}"

    def begin(self) -> None:
        super().begin()
        # The pages that there are still have room for a few records: another gun takes it.
        other = Board()
        other.shots(500)
        with pytest.raises(RecordError, match="the disk is full"):  # noqa: PT012
            for raw in other.journal:
                self.store.ingest("00" * 8, [raw])


class ReadOnly(Pragma):
    text = "is read-only. Give yourself the right to write it and its folder"

    def limit(self) -> str:
        return "pragma query_only = on"


class Locked(Trouble):
    text = "is locked by another program. Wait until that one is done, then try again."

    def begin(self) -> None:
        path = self.store._database.url.database
        assert path is not None
        self._other = sqlite3.connect(path, isolation_level=None)
        self._other.execute("begin immediate")

    def end(self) -> None:
        self._other.close()


class OtherVersion(Trouble):
    text = f"has layout {STORE_VERSION + 1}, this mesogun reads layouts up to {STORE_VERSION};"

    def begin(self) -> None:
        self._set(STORE_VERSION + 1)

    def end(self) -> None:
        self._set(STORE_VERSION)

    def _set(self, version: int) -> None:
        with self.store._database.engine.begin() as connection:
            connection.execute(text(f"update mesogun_store set version = {version}"))


class ServerStopped(Trouble):
    text = "nothing of this step was stored, and a gun keeps its records until they are."

    def __init__(self, server: Server) -> None:
        self._server = server
        super().__init__(server.new_database())

    def begin(self) -> None:
        self._server.stop()

    def end(self) -> None:
        self._server.start()


@pytest.fixture(params=[DiskFull, ReadOnly, Locked, OtherVersion, ServerStopped])
def trouble(request: pytest.FixtureRequest, tmp_path: Path) -> Trouble:
    if request.param is ServerStopped:
        return ServerStopped(request.getfixturevalue("postgresql"))
    return request.param(f"sqlite:///{tmp_path / 'records.db'}")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Sixty shots; what the virtual guns remember goes into a folder of the test's own."""
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path))
    nappage = resolve("nappage")
    (step,) = nappage.steps
    return nappage.model_copy(update={"steps": (step.model_copy(update={"count": SHOTS}),)})


def settings(program: Program) -> VirtualGunSettings:
    syringe, needle = get_syringe(program.syringe), get_needle(program.needle)
    return Simulation(syringe, needle, seed=1, speed=None, auto_trigger=True).settings()


@pytest.mark.req("R40", "R41")
def test_a_store_that_fails_in_the_middle_loses_no_record(
    trouble: Trouble, program: Program
) -> None:
    store = trouble.store
    transport = VirtualTransport(settings(program))

    acknowledged = 0
    failed = False

    def fail_once(progress: Progress) -> None:
        nonlocal failed
        if progress.shots_done >= SHOTS // 2 and not failed:
            failed = True
            trouble.begin()

    with pytest.raises(RecordError) as caught, Gun.open(transport) as gun:  # noqa: PT012
        treatment = Treatment(gun, store, Order(program))
        treatment.prepare()
        acknowledged = gun.status().journal_acknowledged
        treatment.run(fail_once, 0.1)
    moved = transport.world.stream.forward_steps
    assert trouble.text in str(caught.value)
    assert str(caught.value).startswith(f"The record store {store.name} ")

    # The gun was switched off; whatever it is asked now, it has kept everything.
    with Gun.open(VirtualTransport(settings(program), transport.board_id)) as gun:
        with pytest.raises(RecordError) as caught:
            sync_gun(gun, store)
        assert trouble.text in str(caught.value)
        assert gun.status().journal_acknowledged == acknowledged
        trouble.end()
        report = sync_gun(gun, store)
        (session,) = store.list_sessions()
        assert report.sessions == (session.id,)
        assert report.stored + report.duplicates > SHOTS
        assert gun.status().journal_acknowledged > acknowledged
        assert sync_gun(gun, store).sessions == ()
    view = store.session_view(session.id)
    assert view.complete
    assert store.verify(session.id).ok
    assert view.shots_delivered >= SHOTS // 2
    assert sum(shot.forward_steps or 0 for shot in view.shots) == moved
    store.close()


@pytest.mark.req("R40")
def test_a_store_that_fails_before_the_start_lets_nothing_move(
    trouble: Trouble, program: Program
) -> None:
    transport = VirtualTransport(settings(program))
    trouble.begin()
    with pytest.raises(RecordError) as caught, Gun.open(transport) as gun:
        Treatment(gun, trouble.store, Order(program)).prepare()
    trouble.end()
    assert trouble.text in str(caught.value)
    assert transport.world.stream.forward_steps == 0
    assert trouble.store.list_sessions() == []
    trouble.store.close()


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot be reached \(.*\); nothing of this step"):
        Store.open(f"postgresql://clinic:secret@/mesogun?host={tmp_path}")


def test_a_server_that_gives_no_right(postgresql: Server) -> None:
    url = postgresql.new_database()
    with Store.open(url) as store, store._database.engine.begin() as connection:
        connection.execute(text("drop role if exists looker"))
        connection.execute(text("create role looker login"))
        connection.execute(text("grant select on all tables in schema public to looker"))
    with Store.open(url.replace("mesogun@", "looker@")) as store:
        assert store.list_sessions() == []
        with pytest.raises(RecordError, match=r"may not be written by you\. Have its owner grant"):
            store.ingest("e6614104037a5b2c", [_boot_record()])
    with Store.open(url) as store, store._database.engine.begin() as connection:
        connection.execute(text("drop owned by looker"))
        connection.execute(text("drop role looker"))


def test_a_table_that_another_program_locks(postgresql: Server) -> None:
    url = postgresql.new_database()
    with Store.open(url, busy_timeout_s=0) as store, Store.open(url) as other:
        with other._database.engine.begin() as connection:
            connection.execute(text("lock table records in access exclusive mode"))
            with pytest.raises(RecordError, match="is locked by another program"):
                store.ingest("e6614104037a5b2c", [_boot_record()])
        assert store.ingest("e6614104037a5b2c", [_boot_record()]).stored == 1


def _boot_record() -> bytes:
    board = Board()
    board.boot()
    return board.journal[0]
