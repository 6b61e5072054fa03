"""A clinic's day as docs/clinic.md tells it: two desks, two guns, one server, one record."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from mesogun.cli.exit_codes import DONE, FAILED
from mesogun.program import dump_toml, resolve
from tests.records.postgresql_server import Server

SHOTS = 40


class Desk:
    """A computer with a gun of its own; all of them name the same store."""

    def __init__(self, folder: Path, store_url: str) -> None:
        folder.mkdir()
        self._folder = folder
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "MESOGUN_DB": store_url,
            "MESOGUN_VIRTUAL_DIR": str(folder),
        }
        nappage = resolve("nappage")
        (step,) = nappage.steps
        steps = (step.model_copy(update={"count": SHOTS}),)
        (folder / "program.toml").write_text(dump_toml(nappage.model_copy(update={"steps": steps})))

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "mesogun.cli", *arguments, "--json"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def treat(self, operator: str) -> "subprocess.Popen[str]":
        options = "--port sim --speed max --auto-trigger --yes --operator"
        return self.begin("run", "program.toml", *options.split(), operator)

    def does(self, *arguments: str) -> Any:
        return answer(self.begin(*arguments))


def answer(process: "subprocess.Popen[str]") -> Any:
    out, errors = process.communicate()
    assert process.returncode == DONE, errors
    return json.loads(out)


def test_two_desks_share_one_record(postgresql: Server, tmp_path: Path) -> None:
    url = postgresql.new_database()
    desks = [Desk(tmp_path / name, url) for name in ("desk1", "desk2")]
    operators = ["Dr. Pistor", "Dr. Le Coz"]
    together = [desk.treat(name) for desk, name in zip(desks, operators, strict=True)]
    results = [answer(process) for process in together]
    assert [result["shots_delivered"] for result in results] == [SHOTS, SHOTS]
    assert all(result["record_complete"] for result in results)

    listed = desks[0].does("sessions", "list")
    assert {each["operator"] for each in listed} == set(operators)
    assert len({each["board_id"] for each in listed}) == 2
    assert [each["ok"] for each in desks[1].does("sessions", "verify")] == [True, True]
    assert desks[1].does("sessions", "sync", "--port", "sim") == []


def test_a_desk_whose_server_is_gone_delivers_nothing_and_says_why(
    postgresql: Server, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "desk", postgresql.new_database())
    assert desk.does("sessions", "list") == []
    postgresql.stop()
    process = desk.treat("Dr. Pistor")
    _, errors = process.communicate()
    postgresql.start()
    assert process.returncode == FAILED
    assert "cannot be reached" in errors
    assert "then run `mesogun sessions sync`" in errors
    assert desk.does("sessions", "list") == []
