"""The disk of the host: one store in one place, kept over the deaths of processes.

SQLAlchemy compiles each statement once an engine, and a world has a dozen processes. So all worlds
of a simulation share one engine, whose file is changed under it while it has no connection.
"""

import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from mesogun.records import Session, Store
from mesogun.records.tables import utc_text
from mesogun.simtest.stage import EPOCH

_SUFFIXES: Final = ("", "-wal")
"""Files that survive a process: the database and what was committed since it was last tidied up."""


class SimulatedStore(Store):
    """A store whose sessions have names and times that follow from the seed.

    Attributes:
        now: the simulated time of day.
    """

    now: datetime = EPOCH

    def create_session(
        self, session: Session, notes: Iterable[tuple[str, Mapping[str, Any]]] = ()
    ) -> Session:
        """Store it under a name that its number gives."""
        session.id = f"{session.session_id:08x}"
        session.created_at = utc_text(self.now)
        return super().create_session(session, notes)


class Disk:
    """A place for one store.

    Attributes:
        store: open on whatever is in that place.
        database: its file.
    """

    def __init__(self, folder: Path) -> None:
        """Make an empty store in `folder`, which must be new."""
        folder.mkdir()
        self.database = folder / "records.db"
        self._empty = folder / "empty.db"
        self._image = folder / "image.db"
        self.store = SimulatedStore.open(f"sqlite:///{self.database}")
        self.store.close()
        shutil.copyfile(self.database, self._empty)

    def wipe(self) -> None:
        """Begin with an empty store."""
        self.store.close()
        self._put(self._empty)

    def freeze(self) -> None:
        """Keep what the files hold at this moment, in the middle of whatever is written."""
        for suffix in _SUFFIXES:
            source = _file(self.database, suffix)
            if source.exists():
                shutil.copyfile(source, _file(self._image, suffix))

    def thaw(self) -> None:
        """Go back to what was kept: the process that wrote on was dead already."""
        self.store.close()
        self._put(self._image)
        for suffix in _SUFFIXES:
            _file(self._image, suffix).unlink(missing_ok=True)

    def _put(self, source: Path) -> None:
        for suffix in (*_SUFFIXES, "-shm"):
            _file(self.database, suffix).unlink(missing_ok=True)
        for suffix in _SUFFIXES:
            if _file(source, suffix).exists():
                shutil.copyfile(_file(source, suffix), _file(self.database, suffix))


def _file(database: Path, suffix: str) -> Path:
    return database.with_name(database.name + suffix)
