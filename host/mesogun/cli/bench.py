"""`mesogun bench`: what the gun is worth, measured."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from mesogun.cli.options import Json
from mesogun.cli.printer import Answer, Table, tell

app = typer.Typer(help="Measure what the virtual gun does.")


@app.command()
def accuracy(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where files are written.")
    ] = Path("accuracy"),
    draws: Annotated[
        int, typer.Option(min=0, metavar="N", help="Specimens of each cell, 0 for the nominal one.")
    ] = 20,
    plainly: Annotated[
        bool, typer.Option(help="Measure each cell without pressure advance, too.")
    ] = True,
    syringe: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this syringe of the grid.")
    ] = None,
    needle: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this needle of the grid.")
    ] = None,
    train: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this train of the grid.")
    ] = None,
    beds: Annotated[
        bool, typer.Option(help="Measure two pairs with tubing, with air and in skin.")
    ] = True,
    pictures: Annotated[bool, typer.Option(help="Draw flow, doses and trumpet.")] = True,
    _json: Json = False,
) -> Answer:
    """Dose accuracy at the needle, by the methods of the standards, over the grid (R06 to R12)."""
    from mesogun.bench import accuracy as bench
    from mesogun.bench import pairs
    from mesogun.bench.cells import grid
    from mesogun.bench.measure import Measured
    from mesogun.bench.rows import row_of, table
    from mesogun.errors import UsageError

    cells = [
        cell
        for cell in grid()
        if syringe in (None, cell.syringe)
        and needle in (None, cell.needle)
        and train in (None, cell.train.id)
    ]
    if not cells:
        known = sorted({f"{each.syringe} {each.needle} {each.train.id}" for each in grid()})
        raise UsageError(f"No cell of the grid is like that. Choose among: {', '.join(known)}.")
    output.mkdir(parents=True, exist_ok=True)
    rows_path = output / "accuracy.jsonl"
    rows_path.unlink(missing_ok=True)

    def done(each: Measured) -> None:
        tell(" ".join(bench.table_row(each)))
        bench.append_row(each, rows_path)

    found = bench.run(cells, draws, done, plainly=plainly)
    (output / "accuracy.md").write_text(bench.markdown(found))
    (output / "accuracy.toml").write_text(bench.catalog_toml(found))
    made = [output / f"accuracy.{form}" for form in ("jsonl", "md", "toml")]
    on_beds: list[tuple[str, ...]] = []
    if beds:
        on_beds = [each.cells() for each in pairs.measure_pairs(draws)]
        made.append(output / "pairs.md")
        made[-1].write_text(table(pairs.HEADINGS, on_beds))
    if pictures:
        from mesogun.bench.pictures import save_all

        made += save_all(output, draws)
    rows = [row_of(each) | {"id": str(n), "holds": each.holds} for n, each in enumerate(found)]
    return Answer(
        rows,
        [
            Table([bench.table_row(each) for each in found], bench.HEADINGS),
            *(["", Table(on_beds, pairs.HEADINGS)] if on_beds else []),
            "",
            *(f"Written to {path}." for path in made),
        ],
    )


@app.command()
def occlusion(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where files are written.")
    ] = Path("occlusion"),
    draws: Annotated[
        int, typer.Option(min=1, metavar="N", help="Guns of each work, syringe and needle.")
    ] = 4,
    others: Annotated[bool, typer.Option(help="Measure leak, air, slip and the like, too.")] = True,
    _json: Json = False,
) -> Answer:
    """Blocked needles and what else goes wrong: what is found, how soon, and false alarms (R24)."""
    from mesogun.bench import occlusion as bench
    from mesogun.bench.rows import table

    output.mkdir(parents=True, exist_ok=True)
    path = output / "occlusion.jsonl"
    path.unlink(missing_ok=True)
    found: list[bench.Found] = []

    def take(trials: Iterable[bench.Found]) -> None:
        for each in trials:
            bench.append_row(each, path)
            found.append(each)

    for case in bench.supported():
        begin = len(found)
        take(bench.blocked(case, draws))
        take(bench.clean(case, draws))
        tell(" ".join(bench.rows(found[begin:])[0]))
    if others:
        take(bench.others(draws))
    tables = ((bench.HEADINGS, bench.rows(found)), (bench.OTHER_HEADINGS, bench.other_rows(found)))
    text = [table(headings, rows) for headings, rows in tables if rows]
    shown = [part for headings, rows in tables if rows for part in (Table(rows, headings), "")]
    written = output / "occlusion.md"
    written.write_text("\n".join([*text, bench.totals(found) + "\n"]))
    return Answer(
        [bench.row_of(each) for each in found],
        [
            *shown,
            bench.totals(found),
            f"Written to {path} and {written}.",
        ],
    )
