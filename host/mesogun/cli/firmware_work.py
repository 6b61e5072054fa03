"""What `mesogun firmware` does, and how it tells."""

import sys
from pathlib import Path

from mesogun.cli.exit_codes import DONE, FAILED
from mesogun.cli.printer import Answer, Table, tell
from mesogun.errors import PortError, UsageError
from mesogun.link.discovery import RASPBERRY_PI_VID, list_ports
from mesogun.service.board import Board, GunRuns
from mesogun.service.flash import check_board, compare, write_firmware
from mesogun.service.image import download_image, find_image, image_info
from mesogun.service.package import Manifest, build_package
from mesogun.service.restart import await_gun


def build(output: str) -> Answer:
    """Write the package into a folder."""
    package = build_package()
    folder = Path(output)
    try:
        for name, content in package.files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written: {error.strerror or error}. Name another folder."
        ) from None
    size = sum(len(content) for content in package.files.values())
    data = {"folder": output, "bytes": size, **_manifest_data(package.manifest)}
    return Answer(data, [Table([("folder", output), *_manifest_rows(package.manifest)])])


def flash(port: str, force: bool) -> Answer:
    """Write the package to a board, restart it and ask the gun who it is."""
    package = build_package()
    name = _board_port(port)
    with Board(name, interrupt=force) as board:
        info = board.info()
        check_board(info, package, force=force)
        before = info.manifest.version if info.manifest else None
        write_firmware(board, info, package, _progress)
        board.reset()
    hello = await_gun(name, package.manifest)
    data = {
        "port": name,
        "board_id": hello["board_id"].hex(),
        "version_before": before,
        **_manifest_data(package.manifest),
    }
    rows = [
        ("port", name),
        ("board", hello["board_id"].hex()),
        ("before", f"mesogun {before}" if before else info.occupant.value),
        *_manifest_rows(package.manifest),
        ("gun", "runs and answers"),
    ]
    return Answer(data, [Table(rows)])


def verify(port: str) -> Answer:
    """Compare the files of a board with the package."""
    package = build_package()
    name = _board_port(port)
    with Board(name) as board:
        verdict = compare(board.info(), package.manifest)
    data = {
        "port": name,
        "right": verdict.right,
        "missing": verdict.missing,
        "different": verdict.different,
        "strange": verdict.strange,
        **_manifest_data(package.manifest),
    }
    if verdict.right:
        count = len(package.manifest.files)
        return Answer(data, [f"All {count} files on {name} are those of this firmware."], DONE)
    rows = [
        *((path, "is missing") for path in verdict.missing),
        *((path, "is another") for path in verdict.different),
        *((path, "does not belong there") for path in verdict.strange),
    ]
    return Answer(data, [Table(rows), "Flash the board with `mesogun firmware flash`."], FAILED)


def info(port: str) -> Answer:
    """Tell what is on a board, running or at its prompt."""
    name = _board_port(port)
    try:
        with Board(name) as board:
            found = board.info()
    except GunRuns as runs:
        if runs.hello is None:
            raise
        return _running(name, runs.hello)
    python = ".".join(str(part) for part in found.micropython)
    data = {
        "port": name,
        "running": False,
        "occupant": found.occupant.value,
        "board_id": found.board_id,
        "micropython": python,
        **(_manifest_data(found.manifest) if found.manifest else {}),
        "files": [{"id": path, "sha256": sha256} for path, sha256 in found.files.items()],
    }
    rows = [
        ("port", name),
        ("board", f"{found.machine}, {found.board_id}"),
        ("micropython", python),
        ("holds", found.occupant.value),
        *(_manifest_rows(found.manifest) if found.manifest else []),
        ("files", str(len(found.files))),
    ]
    return Answer(data, [Table(rows)])


def image(download: bool) -> Answer:
    """Tell which MicroPython image the emulated board uses, after getting one if asked to."""
    found = download_image() if download else image_info(find_image())
    state = {True: "as known", False: "not what is known under its name", None: "not known here"}
    data = {"path": str(found.path), "sha256": found.sha256, "known": found.known}
    rows = [("image", str(found.path)), ("sha256", f"{found.sha256}, {state[found.known]}")]
    return Answer(data, [Table(rows)])


def _running(port: str, hello: dict[str, object]) -> Answer:
    version = ".".join(str(hello[f"firmware_{part}"]) for part in ("major", "minor", "patch"))
    board_id = hello["board_id"]
    assert isinstance(board_id, bytes)
    build_number, schema_hash = f"{hello['build']:08x}", f"{hello['schema_hash']:08x}"
    data = {
        "port": port,
        "running": True,
        "occupant": "mesogun",
        "board_id": board_id.hex(),
        "version": version,
        "build": build_number,
        "schema_hash": schema_hash,
    }
    rows = [
        ("port", port),
        ("board", board_id.hex()),
        ("holds", "mesogun, running"),
        ("version", f"{version}, build {build_number}"),
        ("schema", schema_hash),
    ]
    return Answer(data, [Table(rows)])


def _board_port(port: str) -> str:
    if port != "auto":
        return port
    boards = [found for found in list_ports() if found.vid == RASPBERRY_PI_VID]
    if len(boards) == 1:
        return boards[0].device
    names = ", ".join(board.device for board in boards)
    raise PortError(
        f"{len(boards)} boards are connected: {names}. Name one with --port."
        if boards
        else "No board is connected. Connect one; a new one needs MicroPython 1.28 on it first."
    )


def _manifest_data(manifest: Manifest) -> dict[str, object]:
    return {
        "version": manifest.version,
        "build": f"{manifest.build:08x}",
        "commit": manifest.commit,
        "schema_hash": manifest.schema_hash,
    }


def _manifest_rows(manifest: Manifest) -> list[tuple[str, str]]:
    return [
        ("version", manifest.version),
        ("commit", manifest.commit or "unknown: files differ from any commit"),
        ("schema", manifest.schema_hash),
    ]


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        tell(f"block {done} of {total}")
