"""Commands for the term bank: `ttm terms check`, `preview` and `sort`. Staff edit its tables; nothing else does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # a command that is not asked for loads no dictionaries
    from indexer.terms import Problem
    from indexer.terms_preview import Comparison, Effect

NAMED_MAX = 6  # words of one concept that a line names

terms_app = typer.Typer(no_args_is_help=True, help="The term bank: words of the trade in seven languages, as tables.")


@terms_app.command("check")
def check(
    path: Annotated[
        Path | None,
        typer.Argument(help="A table, held against the other saved ones, or a folder that is a whole bank."),
    ] = None,
) -> None:
    """Say what is wrong with a table before it is saved. Exit code 1 if anything is."""
    from indexer.terms import FOLDER, problems, table_files
    from indexer.terms_preview import readable, rows_beside
    from library.console import fail

    path = path or FOLDER
    if not path.exists():
        fail(f"there is no {path}", code=2)
    files = table_files(path)
    found = problems(files, () if path.is_dir() else rows_beside(path))
    for problem in found:
        typer.echo(str(problem))
    rows = sum(len(readable(file)) for file in files)
    typer.echo(f"{rows:,} rows in {len(files):,} tables, {len(found):,} problems", err=True)
    if found:
        raise typer.Exit(1)


@terms_app.command("sort")
def sort(files: Annotated[list[Path], typer.Argument(help="The tables to put in order.")]) -> None:
    """Put the rows of tables in order, with the columns and marks as they should be."""
    from indexer.terms import TableError, sorted_table
    from library.console import fail

    for file in files:
        try:
            text = sorted_table(file)
        except (TableError, OSError) as error:
            fail(str(error))
        draft = file.with_name(f".{file.name}.part")
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, file)


@terms_app.command("preview")
def preview(
    file: Annotated[
        Path, typer.Argument(help="An edited table, named as the saved one it is to replace, or a new one.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many words to show, those that find the most first.")] = 20,
) -> None:
    """Show which watches and words would find more or fewer records with an edited table. Nothing is saved."""
    from indexer.engines import open_engine
    from indexer.terms import FOLDER, TableError, problems, read_rows
    from indexer.terms_preview import Comparison, rows_beside
    from library.console import fail, print_json
    from library.house import opened

    try:
        saved = read_rows(FOLDER)
        edited = [*rows_beside(file), *read_rows(file)]
    except (TableError, OSError) as error:
        fail(str(error))
    found = problems([file], rows_beside(file))
    with opened() as house:
        engine = open_engine(house.settings)
        try:
            compared = Comparison(house.store, engine, saved, edited)
            watches, words = compared.watches(), compared.words(limit)
        finally:
            engine.close()
    if json:
        for name, effects in (("watch", watches), ("word", words)):
            for effect in effects:
                print_json({"kind": name} | effect.as_json())
        print_json({"rows": compared.counts(), "problems": list(map(str, found))})
        return
    for line in _told(compared, watches, words, found):
        typer.echo(line)


def _told(
    compared: Comparison, watches: Sequence[Effect], words: Sequence[Effect], found: Sequence[Problem]
) -> Iterator[str]:
    counts = compared.counts()
    yield f"{counts['new']:,} rows are new or altered, {counts['gone']:,} are gone or were so before; nothing is saved"
    for name, effects in (("watches", watches), ("words, those that find the most first", words)):
        yield f"{name}: {'' if effects else 'none finds more or fewer records'}".rstrip()
        alike: dict[tuple[object, ...], list[Effect]] = {}
        for effect in effects:  # the words of one concept find the same
            same = (effect.title, effect.before, effect.more, effect.fewer, effect.new_titles, effect.lost_titles)
            alike.setdefault(same, []).append(effect)
        for group in alike.values():
            yield from group[0].lines(tuple(effect.query for effect in group[:NAMED_MAX]))
    if found:
        yield f"{len(found):,} problems; `ttm terms check` names them"
