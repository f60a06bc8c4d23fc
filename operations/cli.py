"""Commands for the whole house: up, demo, follow, index, status, backup, restore, practice."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from alerts.canary import Flight
    from library.settings import Settings

index_app = typer.Typer(no_args_is_help=True, help="The search index. It is derived: deleting it loses nothing.")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def register(app: typer.Typer) -> None:
    """Mount the commands on the program."""
    app.command("up")(up)
    app.command("demo")(demo)
    app.command("follow")(follow)
    app.command("status")(status)
    app.command("canary")(canary)
    app.command("evaluate")(evaluate)
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.add_typer(index_app, name="index")


def up() -> None:
    """Run everything: schedule, followers, outbox, intake and pages, until stopped."""
    from library.console import set_up_logging
    from library.house import opened
    from operations.children import Part, keep_running
    from search_api.serving import claimed

    set_up_logging()
    with opened() as house:
        web = house.settings.web
        claimed(web.host, web.port).close()  # shared, it would be served by whoever is there already as well
        typer.echo(
            f"home {house.settings.home.resolve()}, pages at http://{web.host}:{web.port}; stop with Ctrl-C", err=True
        )
    parts = [
        *(Part(f"process {number} of the pages", ("serve", "--shared")) for number in range(1, web.processes + 1)),
        Part("the followers", ("follow",)),
        Part("the outbox", ("alerts", "run")),
        Part("the intake", ("intake", "--follow")),
        Part("the schedule", ("schedule",)),
        Part("the canary", ("canary", "--follow")),
    ]
    keep_running(parts, _stop_on_signals())


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Play both nights, check them, and end with one JSON line.")
    ] = False,
    records: Annotated[int, typer.Option(min=20, help="How many records the practice publishers have in all.")] = 600,
    port: Annotated[int, typer.Option(help="Where the pages are served.")] = 8000,
    home: Annotated[
        Path | None, typer.Option(help="An empty folder to keep; a temporary one if none is given.")
    ] = None,
) -> None:
    """Play two practice nights in a home of their own, then serve the pages. Nothing outside this machine is asked."""
    import logging

    from library.console import fail, print_json, set_up_logging
    from library.house import opened
    from operations.demo import DemoError, play, practice_house
    from search_api.serving import claimed, serve

    set_up_logging(logging.WARNING)
    with practice_house(records=records, port=port, home=home) as practice:
        web = practice.settings.web
        if not check:
            claimed(web.host, web.port).close()  # said now, and not after two nights
        try:
            counts = play(practice, say=lambda line: typer.echo(line, err=check))
        except DemoError as error:
            fail(f"the demo failed: {error}")
        if check:
            print_json(counts)
            return
        typer.echo(f"\npages   {web.base_url}\nmails   {web.base_url}/outbox\nstop with Ctrl-C")
        with opened(practice.settings) as house:
            serve(house, host=web.host, port=web.port)


def follow() -> None:
    """Let the index and the links follow the change log until stopped."""
    from library.console import set_up_logging
    from library.house import opened
    from operations.following import follow_on

    set_up_logging()
    with opened() as house:
        follow_on(house, _stop_on_signals())


@index_app.command("rebuild")
def rebuild(
    engine: Annotated[
        str,
        typer.Option(help="Move the library to this engine, 'elastic' or 'tantivy'; running processes follow at once."),
    ] = "",
) -> None:
    """Build the index anew beside the old one and swap; searching goes on. Interrupted, it leaves the old one.

    Vectors and suggestions are made anew as well.
    """
    from indexer.build import rebuild as build_anew
    from indexer.engines import engine_in_use, open_named, use_engine
    from indexer.engines.base import EngineBusyError, EngineDownError
    from indexer.meaning import open_meaning
    from indexer.meaning import rebuild as encode_anew
    from indexer.suggest import SuggestionFollower
    from library.console import fail, progress, set_up_logging
    from library.house import opened
    from operations.following import catch_up

    set_up_logging()
    with opened() as house:
        try:
            building = open_named(house.settings, engine or engine_in_use(house.settings))
        except ValueError as error:
            fail(str(error), code=2)
        meaning = open_meaning(house.settings, engine)

        def build_words() -> None:
            with progress("records") as step:
                build_anew(house.store, building, progress=lambda done: step(done, sum(house.store.counts().values())))
            typer.echo(f"{building.count():,} records are in the index, up to change {building.position():,}")

        def build_meaning() -> None:
            if meaning:
                with progress("meanings") as step:
                    encode_anew(house.store, meaning, lambda done: step(done, sum(house.store.counts().values())))
                typer.echo(f"{meaning.count():,} records can be found by meaning, up to change {meaning.position():,}")

        try:
            if engine:  # what takes longest comes first: words that have just caught up are switched to
                build_meaning()
                build_words()
                use_engine(house.settings, engine)
            else:
                build_words()
                build_meaning()
                SuggestionFollower(house.store).start_anew()
                catch_up(house)
        except (EngineBusyError, EngineDownError) as error:
            fail(f"the index was not built: {error}")
        finally:
            building.close()


@index_app.command("update")
def update() -> None:
    """Bring the index up to the head of the change log once."""
    from indexer.engines.base import EngineDownError
    from library.console import fail, set_up_logging
    from library.house import opened
    from operations.following import catch_up

    set_up_logging()
    with opened() as house:
        try:
            done = catch_up(house)
        except EngineDownError as error:
            fail(f"the index stays where it is: {error}")
        typer.echo("the index is up to date" if done else "another process follows the change log and will do it")


def status(json: JsonOption = False) -> None:
    """Show how the house stands: sources, followers, deliveries, archive. Exit code 1 if a source's last run is bad."""
    from alerts.canary import last_flight
    from alerts.cli import sweep_words
    from alerts.outbox import status as outbox_status
    from library.console import print_json
    from library.house import opened
    from library.status import board
    from library.store.runs import GOOD
    from library.times import now

    with opened() as house:
        head = house.store.head()
        index = _index_status(house.settings, head)
        rows = board(house.store, house.sources)
        stands = outbox_status(house.store, now())
        flight = last_flight(house.store)
        flown = (
            canary_words(flight, flight.standing(now(), house.settings.canary.within_s))
            if flight
            else "has never flown"
        )
        warcs = sum(house.store.pages.by_file().values())
        if json:
            print_json(
                {
                    "changes": head,
                    "index": index,
                    "pages": warcs,
                    "sources": [row.as_json() for row in rows],
                    "alerts": stands,
                    "canary": flown,
                }
            )
        else:
            typer.echo(f"home {house.settings.home.resolve()}")
            typer.echo(f"change log at {head:,}; {warcs:,} pages archived")
            typer.echo(_index_line(index))
            typer.echo(
                f"watches {stands['watches']:,}; deliveries {stands['deliveries'] or 'none'}; mails {stands['mails'] or 'none'}"
            )
            typer.echo(f"alerts compared {sweep_words(stands['sweep']) if stands['sweep'] else 'never'}")
            typer.echo(f"canary {flown}")
            for row in rows:
                typer.echo(row.as_line())
        bad = [row for row in rows if row.last_run and row.last_run.verdict not in (None, "imported", *GOOD)]
        raise typer.Exit(1 if bad else 0)


def _index_status(settings: Settings, head: int) -> dict[str, Any]:
    from indexer.engines import engine_health, engine_in_use, open_engine
    from indexer.engines.base import EngineDownError

    said: dict[str, Any] = {"engine": engine_in_use(settings), "trouble": ""}
    engine = open_engine(settings)
    try:
        position = engine.position()
        said |= {"position": position, "behind": head - position, "records": engine.count()}
        said["health"] = engine_health(settings)
        if position and engine.is_stale():
            said["trouble"] = "the words are cut differently since it was built: ttm index rebuild"
    except EngineDownError as error:
        said["trouble"] = str(error)
    finally:
        engine.close()
    return said


def _index_line(said: dict[str, Any]) -> str:
    stands = f"at {said['position']:,} with {said['records']:,} records" if "position" in said else "cannot be asked"
    return "; ".join(
        part for part in (f"index ({said['engine']}) {stands}", said.get("health"), said["trouble"]) if part
    )


def canary(
    follow: Annotated[bool, typer.Option("--follow", help="One every night, until stopped.")] = False,
) -> None:
    """Send a synthetic recall the whole way into the operator's mailbox. Exit code 1 if it does not arrive in time."""
    from library.console import set_up_logging
    from library.house import opened
    from library.times import now
    from operations.canary import fly, fly_nightly, report_lost

    set_up_logging()
    with opened() as house:
        if follow:
            fly_nightly(house, _stop_on_signals(), clock=now)
            return
        report_lost(house, now=now())
        flight = fly(house, clock=now)
        typer.echo(f"canary {canary_words(flight, flight.standing(now(), house.settings.canary.within_s))}")
        raise typer.Exit(0 if flight.verdict == "arrived" else 1)


def canary_words(flight: Flight, standing: str) -> str:
    """A flight in one line."""
    when = f"{flight.started_at:%Y-%m-%d %H:%M} UTC"
    if standing in ("arrived", "old"):
        taken = (flight.arrived_at - flight.started_at).total_seconds() if flight.arrived_at else 0.0
        later = "; none has flown since" if standing == "old" else ""
        return f"of {when} arrived after {taken:.0f} s (seen by {flight.seen_by}){later}"
    if standing == "running":
        return f"of {when} is on its way"
    told = f"; told by {flight.told}" if flight.told else "; nobody was told by a second channel"
    return f"of {when} DID NOT ARRIVE: {flight.reason or 'its process is gone'}{told}"


def evaluate(
    queries: Annotated[Path, typer.Argument(help="JSON lines: id, q, lang, type, sources, relevant, judged.")],
    json: JsonOption = False,
    literal: Annotated[bool, typer.Option("--literal", help="Search what is typed, not other languages too.")] = False,
    meaning: Annotated[str, typer.Option(help="Search by meaning as well: on, off, or auto, where it helps.")] = "auto",
) -> None:
    """Score search against labelled queries: nDCG@10 and recall@50, by type and by language."""
    import orjson

    from indexer.engines import open_engine
    from indexer.evaluate import evaluate as score
    from indexer.meaning import open_meaning
    from indexer.query import QueryError
    from indexer.search import CHOICES, search
    from library.console import fail, print_json, progress
    from library.house import opened

    if meaning not in CHOICES:
        fail(f"--meaning is one of {', '.join(CHOICES)}, and not {meaning!r}", code=2)
    try:
        rows = [orjson.loads(line) for line in queries.read_bytes().splitlines() if line.strip()]
    except (OSError, orjson.JSONDecodeError) as error:
        fail(f"{queries} is no file of queries: {error}", code=2)
    with opened() as house, progress("queries") as step:
        engine = open_engine(house.settings)
        vectors = open_meaning(house.settings)
        if meaning == "on" and vectors is None:
            fail("there are no vectors: install the extra 'semantic', and set meaning = true", code=2)
        asked = 0

        def ask(text: str, count: int) -> list[str]:
            nonlocal asked
            asked += 1
            step(asked, len(rows))
            try:
                found = search(
                    None,
                    engine,
                    text,
                    count=count,
                    expand=not literal,
                    meaning=vectors,
                    by_meaning=CHOICES[meaning],
                )
            except QueryError:
                return []  # a query that is refused finds nothing, and scores so
            return [hit.id for hit in found.hits]

        scored = score(rows, house.store.existing, ask)
        engine.close()
    if json:
        print_json(scored)
        return
    for name, row in ({"all": scored["all"]} | scored["by_type"] | scored["by_lang"]).items():
        typer.echo(f"{name:16} nDCG@10 {row['ndcg@10']}  recall@50 {row['recall@50']}  {row['queries']} queries")
    for row in scored["worst"]:
        typer.echo(f"  {row['ndcg@10']:.3f}  {row['id']}  {row['type']:16} {row['q']}")


def backup(target: Annotated[Path, typer.Argument(help="The tar file to write; it must not be there yet.")]) -> None:
    """Write store and archive into one file, while the house runs. Checked by count and hash."""
    from library.backup import BackupError, check_backup, write_backup
    from library.console import fail, progress
    from library.house import opened
    from library.times import now

    with opened() as house:
        try:
            with progress("archived files") as step:
                write_backup(house.store, house.settings.archive, target, at=now(), progress=step)
            summary = check_backup(target)
        except (BackupError, OSError) as error:
            fail(str(error))
    typer.echo(
        f"{target}: {summary.rows['record']:,} records, {summary.files:,} archived files, {summary.bytes:,} bytes; checked"
    )


def restore(source: Annotated[Path, typer.Argument(help="A file that `ttm backup` wrote.")]) -> None:
    """Fill the empty home folder (and database) with a backup, check it, and build the index."""
    from indexer.build import rebuild as build_anew
    from indexer.engines import open_engine
    from indexer.meaning import open_meaning
    from library.backup import BackupError, restore_backup
    from library.console import fail, progress
    from library.house import opened

    with opened() as house:
        try:
            with progress("files") as step:
                summary = restore_backup(source, house.store, house.settings.archive, progress=step)
        except (BackupError, OSError) as error:
            fail(str(error))
        engine = open_engine(house.settings)
        build_anew(house.store, engine)
        engine.close()
        if meaning := open_meaning(house.settings):
            meaning.replace((), 0)  # a cluster may hold those of a later day; the follower encodes all that is there
    typer.echo(
        f"{summary.rows['record']:,} records and {summary.files:,} archived files are back; counts and hashes agree"
    )


def _stop_on_signals() -> threading.Event:
    import signal

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
