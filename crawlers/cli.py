"""Commands of the crawling side: crawl, import, reparse, schedule, sources, practice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from library.house import House

sources_app = typer.Typer(no_args_is_help=False, help="The sources: what each showed last, and drafts of new ones.")
archive_app = typer.Typer(no_args_is_help=True, help="The archive of whole answers.")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
BAD_VERDICT = 3
INTAKE_EVERY_S = 5.0


_after_change: Callable[[House], None] = lambda house: None  # noqa: E731


def register(app: typer.Typer, after_change: Callable[[House], None]) -> None:
    """Mount the commands on the program. after_change: called when a command may have added to the change log."""
    global _after_change
    _after_change = after_change
    app.command("crawl")(crawl)
    app.command("import")(import_)
    app.command("intake")(intake)
    app.command("reparse")(reparse)
    app.command("schedule")(schedule)
    app.add_typer(sources_app, name="sources")
    app.add_typer(archive_app, name="archive")


def crawl(
    source: Annotated[list[str] | None, typer.Argument(help="Names of sources; none: all that may be crawled.")] = None,
    parent: Annotated[int, typer.Option(hidden=True)] = 0,
    json: JsonOption = False,
) -> None:
    """Crawl sources once, now. Exit code 3 if a run's verdict is bad, 2 for a name that is no source."""
    from crawlers.crawl import SourceIsBusy
    from crawlers.crawl import crawl as crawl_source
    from crawlers.schedule import crawl_in_child
    from library.console import fail, print_json, set_up_logging
    from library.house import opened
    from library.store.runs import GOOD
    from library.times import now

    set_up_logging()
    with opened() as house:
        wanted = house.named(source) if source else [one for one in house.sources.values() if not one.handed_in]
        if len(wanted) > 1:
            codes = [
                crawl_in_child(
                    one.name,
                    time_limit_s=house.settings.crawl.time_limit_s,
                    extra=("--json",) if json else (),
                )
                for one in wanted
            ]
            _after_change(house)
            raise typer.Exit(max(codes))
        try:
            outcomes = crawl_source(house.settings, house.store, wanted[0], at=now(), parent=parent)
        except (SourceIsBusy, ValueError) as error:
            fail(str(error))
        counts = outcomes.tally.as_counts()
        line = {
            "source": wanted[0].name,
            "verdict": outcomes.verdict.word,
            "reason": outcomes.verdict.reason,
            "seconds": round(outcomes.seconds, 1),
            "counts": counts,
        }
        if json:
            print_json(line)
        else:
            pages = sum(count for name, count in counts.items() if name.startswith("pages."))
            judged = f"{wanted[0].name}: {outcomes.verdict.word}: {outcomes.verdict.reason}"
            typer.echo(f"{judged} ({pages:,} pages, {outcomes.seconds:.1f} s)")
        if not parent:
            _after_change(house)
        raise typer.Exit(0 if outcomes.verdict.word in GOOD else BAD_VERDICT)


def import_(
    paths: Annotated[list[Path], typer.Argument(help="WARC files, and folders with a MANIFEST.jsonl.")],
    json: JsonOption = False,
) -> None:
    """Archive and read pages that others captured. Import is backfill: it mails nobody."""
    from crawlers.crawl import SourceIsBusy
    from crawlers.intake import import_paths
    from library.console import fail, print_json, progress, set_up_logging
    from library.house import opened
    from library.times import now

    set_up_logging()
    with opened() as house:
        try:
            with progress("pages") as step:
                report = import_paths(house.settings, house.store, house.sources, paths, at=now(), progress=step)
        except (FileNotFoundError, SourceIsBusy) as error:
            fail(str(error))
        _after_change(house)
        if json:
            for row in report.rows():
                print_json(row)
            print_json(
                {
                    "unrouted": [
                        {"file": one.file, "source": one.source, "reason": one.reason} for one in report.unrouted
                    ]
                }
            )
            return
        for row in report.rows():
            pages = ", ".join(f"{count:,} {outcome}" for outcome, count in row["pages"].items())
            unread = ", ".join(row["unread"]) or "none"
            typer.echo(
                f"{row['source']:22} {row['drafts']:7,} drafts {row['records']:7,} records {row['problems']:5,} problems"
                f"   pages: {pages}; unread fields: {unread}"
            )
        if report.unrouted:
            typer.echo(f"{len(report.unrouted):,} pages that no source reads:")
            for one in report.unrouted:
                typer.echo(f"  {one.file}: {one.reason}")


def intake(
    follow: Annotated[bool, typer.Option("--follow", help="Go on watching the folder.")] = False,
    settled: Annotated[
        bool, typer.Option("--settled", help="Take files that were laid there this very moment, too.")
    ] = False,
) -> None:
    """Take in the sheets that people laid into intake/<source>/ of the home folder."""
    import time

    from crawlers.intake import SETTLED_S, watch_folder
    from library.console import set_up_logging
    from library.house import opened
    from library.times import now

    set_up_logging()
    with opened() as house:
        for source in house.sources.values():
            if source.handed_in:
                (house.settings.intake / source.name).mkdir(parents=True, exist_ok=True)
        while True:
            found = watch_folder(
                house.settings, house.store, house.sources, at=now(), settled_s=0 if settled else SETTLED_S
            )
            for file, tally in found:
                counts = tally.counts
                typer.echo(
                    f"{file.name}: {counts['drafts']:,} drafts, {counts['added']:,} added, {counts['problems']:,} problems"
                )
            if not follow:
                return
            time.sleep(INTAKE_EVERY_S)


def reparse(
    source: Annotated[list[str] | None, typer.Argument(help="Names of sources; none: all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Read the archived pages again with the parsers of today. Nothing is fetched, nobody is mailed."""
    from crawlers.crawl import SourceIsBusy
    from crawlers.reparse import reparse as reparse_source
    from library.console import fail, print_json, progress, set_up_logging
    from library.house import opened
    from library.times import now

    set_up_logging()
    with opened() as house:
        for one in house.named(source) if source else house.sources.values():
            try:
                with progress(f"{one.name}: pages") as step:
                    tally = reparse_source(
                        house.settings, house.store, one, at=now(), dry_run=dry_run, progress=lambda done: step(done, 0)
                    )
            except SourceIsBusy as error:
                fail(str(error))
            counts = tally.counts
            actions = {name: counts[name] for name in ("added", "amended", "withdrawn", "restored")}
            changed = len({change.record_id for change in tally.changes})
            row = {
                "source": one.name,
                "records": len(tally.records),
                **actions,
                "unchanged": len(tally.records) - changed,
                "problems": counts["problems"],
            }
            if json:
                print_json(row)
            else:
                parts = ", ".join(f"{value:,} {name}" for name, value in row.items() if name != "source")
                typer.echo(f"{one.name}: {parts}")
        if not dry_run:
            _after_change(house)


def schedule() -> None:
    """Take every source's nightly round as it falls due, and make up what was missed, until stopped."""
    import signal
    import threading

    from crawlers.schedule import Rounds
    from library.console import set_up_logging
    from library.house import opened

    set_up_logging()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened() as house:
        Rounds(house.settings, house.store, house.sources).run(stop)


@sources_app.callback(invoke_without_command=True)
def sources(context: typer.Context, json: JsonOption = False) -> None:
    """Show every source: when it was last looked at, what came of it, and what is open."""
    if context.invoked_subcommand is not None:
        return
    from library.console import print_json
    from library.house import opened
    from library.status import board

    with opened() as house:
        rows = board(house.store, house.sources)
        for row in rows:
            if json:
                print_json(row.as_json())
            else:
                typer.echo(row.as_line())


@sources_app.command("new")
def source_new(
    name: Annotated[str, typer.Argument(help="Name of the source, jurisdiction first: 'au_accc_recalls'.")],
) -> None:
    """Write the first draft of a source's three files: facts, spider and golden page."""
    from crawlers.new_source import write_first_draft
    from library.console import fail

    try:
        for path in write_first_draft(name):
            typer.echo(f"wrote {path}")
    except (ValueError, FileExistsError) as error:
        fail(str(error))


@archive_app.command("check")
def archive_check(json: JsonOption = False) -> None:
    """Verify every record's digests and the page index's counts. Exit code 1 if anything is wrong."""
    from library.archive import Archive
    from library.console import print_json
    from library.house import opened

    with opened() as house:
        faults = Archive(house.settings.archive, house.store).check()
        for fault in faults:
            if json:
                print_json({"warc": fault.warc, "offset": fault.offset, "reason": fault.reason})
            else:
                typer.echo(str(fault))
        if not faults:
            typer.echo("every record is whole, and the page index agrees") if not json else None
        raise typer.Exit(1 if faults else 0)
