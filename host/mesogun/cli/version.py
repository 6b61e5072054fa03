"""`mesogun version`: what is installed, and which protocol it speaks."""

import typer

from mesogun.cli.options import Json
from mesogun.cli.printer import Answer, Table


def _installed() -> str:
    from importlib.metadata import version as version_of

    return version_of("mesogun")


def show_and_exit(chosen: bool) -> None:
    """Write the version for `--version`."""
    if chosen:
        typer.echo(f"mesogun {_installed()}")
        raise typer.Exit


def version(_json: Json = False) -> Answer:
    """Show the versions of mesogun and of its protocol."""
    import platform

    from mesogun_protocol.limits import PROTOCOL_VERSION
    from mesogun_protocol.schema import SCHEMA_HASH

    installed, python = _installed(), platform.python_version()
    data = {
        "mesogun": installed,
        "protocol_version": PROTOCOL_VERSION,
        "schema_hash": f"{SCHEMA_HASH:08x}",
        "python": python,
    }
    rows = [
        ("mesogun", installed),
        ("protocol", f"{PROTOCOL_VERSION}, schema {SCHEMA_HASH:08x}"),
        ("python", python),
    ]
    return Answer(data, [Table(rows)])
