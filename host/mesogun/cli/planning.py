"""Makes program files and pictures of programs."""

from pathlib import Path

from mesogun.cli.files import require_new, write_new
from mesogun.cli.printer import Answer, show
from mesogun.cli.terminal import Terminal
from mesogun.desk.overview import overview
from mesogun.desk.planning import Plan, completed
from mesogun.program import Program, dump_toml
from mesogun.words import _


def planned(wishes: Plan, output: str | None, picture: str | None, force: bool) -> Answer:
    """Make the program, and a file and a picture of it if they are asked for.

    Raises:
        UsageError: something is missing and nobody can be asked, or does not fit.
    """
    for path in (output, picture):
        if path is not None:
            require_new(path, force=force)
    program = completed(Terminal(), wishes)
    answer = drawn(program, picture, force)
    content = dump_toml(program)
    if output is None:
        # The program is the result; its figures are for who reads along.
        show([*answer.text, ""], stderr=True)
        return Answer(answer.data | {"file": None, "content": content}, [content.rstrip()])
    write_new(output, content, force=force)
    return Answer(
        answer.data | {"file": output},
        [*answer.text, "", _("Written to {file}.").format(file=output)],
    )


def drawn(program: Program, picture: str | None, force: bool) -> Answer:
    """What the program will do, and a picture of it if one is asked for."""
    look = overview(program)
    if picture is None:
        return Answer(look.data, look.text)
    require_new(picture, force=force)
    from mesogun.program.picture import save_picture

    save_picture(program, Path(picture))
    drawn_to = _("Drawn to {file}.").format(file=picture)
    return Answer({**look.data, "picture": picture}, [*look.text, drawn_to])
