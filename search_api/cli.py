"""Commands of the door: `search` on the terminal, `serve` for the pages and the API."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any

import typer

BAD_QUERY = 2


def register(app: typer.Typer) -> None:
    """Mount the commands on the program."""
    app.command("search")(search)
    app.command("serve")(serve)


def search(
    query: Annotated[str, typer.Argument(help="The query, as typed into the search box.")],
    json: Annotated[bool, typer.Option("--json", help="Print the JSON the API gives.")] = False,
    limit: Annotated[int, typer.Option(min=0, max=200, help="How many hits to print.")] = 20,
    first: Annotated[int, typer.Option(min=0, max=10_000, help="How many hits to pass over.")] = 0,
    sort: Annotated[str, typer.Option(help="relevance, newest or oldest")] = "relevance",
    literal: Annotated[bool, typer.Option("--literal", help="Search what was typed, not other languages too.")] = False,
    meaning: Annotated[str, typer.Option(help="Search by meaning as well: on, off, or auto, where it helps.")] = "auto",
) -> None:
    """Search the library. Exit code 2 for a query that cannot be read."""
    from indexer.engines import open_engine
    from indexer.engines.base import EngineDownError
    from indexer.meaning import open_meaning
    from indexer.query import QueryError
    from indexer.search import CHOICES, warm_up
    from library.console import fail, print_json
    from library.house import opened
    from search_api.asking import SORTS, Asked, found_json

    if sort not in SORTS:
        fail(f"the order is one of {', '.join(SORTS)}, and not {sort!r}", code=BAD_QUERY)
    if meaning not in CHOICES:
        fail(f"--meaning is one of {', '.join(CHOICES)}, and not {meaning!r}", code=BAD_QUERY)
    asked = Asked(q=query, sort=SORTS[sort], expand=not literal, meaning=CHOICES[meaning])
    facets = ("kind", "source", "jurisdiction", "year") if json else ()
    with opened() as house:
        engine = open_engine(house.settings)
        try:
            vectors = open_meaning(house.settings)
            warm_up(vectors)  # the time that is printed is the search's, not that of loading the dictionaries
            found = found_json(house.store, engine, asked, first=first, count=limit, facets=facets, meaning=vectors)
        except QueryError as error:
            if json:
                print_json({"error": error.message, "code": error.code, "column": error.column})
            fail(f"{query}\n{caret(query, error.column)}\n{error.message}", code=BAD_QUERY)
        except EngineDownError as error:
            fail(str(error))
        finally:
            engine.close()
    if json:
        print_json(found)
    else:
        _print_table(found)


def caret(text: str, column: int) -> str:
    """A mark under a column of a line, on a terminal where Han characters are two cells wide.

    >>> caret("玩具 (", 4)
    '     ^'
    """
    before = text.replace("\n", " ")[: column - 1]
    return " " * sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in before) + "^"


def _print_table(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=None, pad_edge=False)
    for name in ("published", "kind", "where", "title", "id"):
        table.add_column(name, overflow="fold", no_wrap=name != "title", ratio=1 if name == "title" else None)
    for hit in found["hits"]:
        cells = (hit["published"] or "-", hit["kind"], hit["jurisdiction"], hit["title"], hit["id"])
        table.add_row(*(Text(_printable(cell)) for cell in cells))
    console.print(table)
    if found["also_searched"]:
        console.print(Text(f"also searched: {', '.join(found['also_searched'][:12])}"), style="dim")
    if found["loosened"]:
        console.print("no record holds every word; these lack some of them")
    if by_meaning := sum(hit["found_by_meaning"] for hit in found["hits"]):
        console.print(f"{by_meaning} of these were found by meaning alone", style="dim")
    about = "about " if found["total_estimated"] else ""
    console.print(f"{about}{found['total']:,} found in {found['took_ms']:.0f} ms", style="dim")


def _printable(text: str) -> str:
    """A publisher's text without what a terminal would act on."""
    return "".join(character if character.isprintable() else " " for character in text)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on; from the settings where empty.")] = "",
    port: Annotated[int, typer.Option(help="The port; from the settings where 0.")] = 0,
    shared: Annotated[
        bool, typer.Option("--shared", help="Let other processes serve at the same address; 'ttm up' does.")
    ] = False,
) -> None:
    """Serve the pages and the API until interrupted."""
    from library.console import set_up_logging
    from library.house import opened
    from search_api import serving

    set_up_logging()
    with opened() as house:
        host, port = host or house.settings.web.host, port or house.settings.web.port
        serving.serve(house, host=host, port=port, is_shared=shared)
