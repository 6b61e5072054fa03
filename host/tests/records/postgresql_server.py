"""A PostgreSQL server of the test's own: made in a folder, on a socket there, thrown away after."""

import os
import shutil
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

HOW_TO_INSTALL = (
    "PostgreSQL's server programs initdb and pg_ctl are not installed: "
    "apt-get install postgresql (Debian, Ubuntu) or brew install postgresql (macOS)"
)

# Debian keeps the server's programs out of PATH.
_FOLDERS = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin")


def program(name: str) -> str | None:
    """Return the path of one of the server's programs, None if it is not installed."""
    found = sorted(
        (path for folder in _FOLDERS for path in Path("/").glob(f"{folder[1:]}/{name}")),
        key=lambda path: path.stat().st_mtime,
    )
    return shutil.which(name) or (str(found[-1]) if found else None)


class Server:
    """A server on a socket in `folder`, whose path must be short (107 characters with its name)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        self._identity: dict[str, Any] = {}
        if os.geteuid() == 0:  # as whom PostgreSQL refuses to run
            import pwd

            user = pwd.getpwnam("nobody")
            self._identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-A", "trust", "-U", "mesogun", "-E", "UTF8", "--locale=C", "-N")
        self.start()

    def start(self) -> None:
        options = (
            f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' "
            "-c fsync=off -c max_connections=20"
        )
        self._run("pg_ctl", "start", "-w", "-l", str(self._folder / "log"), "-o", options)

    def stop(self) -> None:
        """Stop as a crash does: whoever is connected is thrown out."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate")

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        import psycopg

        name = f"clinic{next(self._numbers)}"
        with psycopg.connect(
            host=str(self._folder), user="mesogun", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f"create database {name}".encode())
        return f"postgresql://mesogun@/{name}?host={self._folder}"

    def _run(self, name: str, *arguments: str) -> None:
        path = program(name)
        assert path is not None, HOW_TO_INSTALL
        # Into a file, because the server that pg_ctl starts keeps what it was given.
        with (self._folder / "output").open("a+") as output:
            done = subprocess.run(
                [path, *arguments, "-D", str(self._folder / "data")],
                check=False,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **self._identity,
            )
            output.seek(0)
            assert done.returncode == 0, output.read()
