"""Commands: `ttm watch …` and `ttm alerts …`. Exit codes: 0 done, 1 it failed, 2 what was typed is wrong."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from alerts.outbox import Counts
    from alerts.sweep import Sweep
    from alerts.watches import Preview, Watch
    from indexer.query import QueryError
    from library.house import House

TYPED_WRONG = 2

watch_app = typer.Typer(no_args_is_help=True, help="Saved queries that are mailed when something new matches.")
alerts_app = typer.Typer(no_args_is_help=True, help="The outbox: send what is due, look how it stands.")

WHEN = {
    "immediate": "as soon as something matches",
    "hourly": "every full hour",
    "daily": "daily at 08:00 {zone}",
    "weekly": "on Mondays at 08:00 {zone}",
}

WARNINGS = {
    "nothing": "it finds nothing in the whole library. Is a word misspelt?",
    "everything": "it finds most of what there is. A country, hazard or product narrows it.",
}

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@watch_app.command("add")
def add(
    recipient: Annotated[str, typer.Argument(help="The mail address to tell.")],
    query: Annotated[str, typer.Argument(help="What to look for, as typed into the search box.")] = "",
    category: Annotated[str, typer.Option(help="Instead of a query: a code of `ttm watch categories`.")] = "",
    value: Annotated[str, typer.Option(help="What a category asks for: a market, an HS code, a company …")] = "",
    title: Annotated[str, typer.Option(help="A name for the subject line.")] = "",
    daily: Annotated[bool, typer.Option("--daily", help="The same as --cadence daily.")] = False,
    cadence: Annotated[
        str, typer.Option(help="immediate, hourly, daily (08:00) or weekly (Monday 08:00).")
    ] = "immediate",
    quiet: Annotated[str, typer.Option(help="When nothing is sent, like 22:00-07:00, on the reader's clock.")] = "",
    nothing_too: Annotated[
        bool, typer.Option("--nothing-too", help="Digests without news as well: by mail, or in the chat alone.")
    ] = False,
    days_before: Annotated[int, typer.Option(help="How many days before a deadline it is told.")] = 7,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="The reader has agreed; no mail asks them first.")
    ] = False,
    hook: Annotated[
        str,
        typer.Option(help="A web address told as well: a program, or the robot of a DingTalk, WeCom or Feishu chat."),
    ] = "",
    hook_secret: Annotated[
        str, typer.Option(envvar="TTM_HOOK_SECRET", help="The signing secret of a DingTalk or Feishu robot.")
    ] = "",
    no_mail: Annotated[bool, typer.Option("--no-mail", help="Tell the hook and the feeds alone.")] = False,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    zone: Annotated[str, typer.Option(help="Time zone of the reader; the configured one where left out.")] = "",
    actions: Annotated[
        str, typer.Option(help="What to hear of: some of added,amended,withdrawn,restored,deadline.")
    ] = "added,withdrawn",
    yes: Annotated[bool, typer.Option("--yes", help="Save it without asking, whatever it would have found.")] = False,
    json: Json = False,
) -> None:
    """Show what a watch would have found, ask on a terminal, and save it.

    Without --yes, a watch that finds nothing in the whole library, or most of it, is saved only by somebody who is asked
    and agrees; elsewhere it is refused with exit code 1.
    """
    from alerts.robots import robot_of
    from alerts.tokens import hook_key, secret
    from alerts.watches import Cadence, WatchError, add_watch, categories
    from indexer.query import QueryError
    from library.console import fail, print_json
    from library.house import opened
    from library.times import now

    if bool(query) == bool(category):
        fail("give a query or a --category, one of the two", code=TYPED_WRONG)
    if category and category not in categories():
        fail(f"there is no category {category!r}; `ttm watch categories` lists them", code=TYPED_WRONG)
    offered = categories()[category] if category else None
    if offered and offered.asks and not value:
        fail(f"{category} needs a --value, such as {offered.example!r}", code=TYPED_WRONG)
    if offered:
        try:
            offered = offered.filled(value)
        except WatchError as error:
            fail(str(error), code=TYPED_WRONG)
        query, title = offered.query, title or (offered.zh if language == "zh" else offered.en)
    with opened() as house:

        def saved(*, only_check: bool = False) -> Watch:
            try:
                return add_watch(
                    house.store,
                    query,
                    recipient,
                    now=now(),
                    title=title,
                    cadence=Cadence.DAILY if daily else cadence,
                    quiet=quiet,
                    nothing_too=nothing_too,
                    days_before=days_before,
                    hook=hook,
                    hook_secret=hook_secret,
                    by_mail=not no_mail,
                    confirmed=confirmed,
                    language=language,
                    zone=zone or house.settings.zone,
                    actions=tuple(filter(None, actions.replace(" ", "").split(","))),
                    only_check=only_check,
                )
            except QueryError as error:
                _refuse(query, error)
            except WatchError as error:
                fail(str(error), code=TYPED_WRONG)

        saved(only_check=True)  # before a person is asked about what could not be saved
        if not (json and yes):
            seen = _preview(house, query.strip())
            if not json:
                _print_preview(seen)
            if not (yes or _agreed(seen, may_ask=not json)):
                typer.echo("Nothing was saved.")
                return
        watch = saved()
        if json:
            print_json(_watch_json(watch))
            return
        when = WHEN[watch.cadence.value].format(zone=watch.zone)
        waits = "" if confirmed else " It begins when they agree; a mail asks them."
        typer.echo(f"Watch {watch.id} is saved. {watch.recipient} is told {when}.{waits}")
        if hook and not hook_secret and robot_of(watch.hook, house.settings.alerts) is None:
            typer.echo(f"Its calls are signed with {hook_key(secret(house.settings), watch.id)}")


@watch_app.command("list")
def show(
    ended: Annotated[bool, typer.Option("--ended", help="Those that ended, too.")] = False, json: Json = False
) -> None:
    """List the watches."""
    from alerts.watches import list_watches
    from library.console import print_json
    from library.house import opened

    with opened() as house:
        watches = list_watches(house.store, ended=ended)
    if json:
        print_json({"watches": [_watch_json(watch) for watch in watches]})
        return
    if not watches:
        typer.echo("There are no watches. `ttm watch add ADDRESS QUERY` saves one.")
    for watch in watches:
        waits = "" if watch.confirmed_at or watch.ended_at else "  waits for its reader to agree"
        over = f"  ended {watch.ended_at:%Y-%m-%d}: {watch.ended_why}" if watch.ended_at else ""
        typer.echo(
            f"{watch.id}  {watch.recipient}  {watch.cadence}  {watch.language}  {watch.title}  [{watch.query}]{waits}{over}"
        )


@watch_app.command("preview")
def preview(query: Annotated[str, typer.Argument(help="What to look for.")], json: Json = False) -> None:
    """Show what a query would have found in the last 12 months."""
    from indexer.query import QueryError
    from library.console import print_json
    from library.house import opened

    with opened() as house:
        try:
            seen = _preview(house, query)
        except QueryError as error:
            _refuse(query, error)
    if not json:
        _print_preview(seen)
        return
    print_json(
        {
            "query": seen.query,
            "total": seen.total,
            "years": [{"year": one.year, "total": one.total, "a_week": round(one.a_week, 2)} for one in seen.years],
            "months": dict(seen.months),
            "also_searched": list(seen.also_searched),
            "warning": seen.warning,
            "newest": [
                {"id": record.id, "title": record.title("zh"), "published": record.published} for record in seen.newest
            ],
        }
    )


@watch_app.command("remove")
def remove(watch_id: Annotated[str, typer.Argument(help="As `ttm watch list` shows it.")]) -> None:
    """End a watch. What is due to it and not yet sent is not sent."""
    from alerts.watches import end_watch
    from library.console import fail
    from library.house import opened
    from library.times import now

    with opened() as house:
        is_ended = end_watch(house.store, watch_id, now=now())
    if not is_ended:
        fail(f"there is no watch {watch_id!r} that goes on")
    typer.echo(f"Watch {watch_id} is ended.")


@watch_app.command("apply")
def apply(
    folder: Annotated[Path, typer.Argument(help="A folder of .toml files, one watch each.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    confirmed: Annotated[bool, typer.Option("--confirmed", help="New readers have agreed; no mail asks them.")] = False,
) -> None:
    """Make the named watches those of a folder: show what would be done, ask, do it. Exit code 1 where a check fails."""
    import sys

    from alerts.reviewed import carry_out, failed_checks, plan, read_folder
    from alerts.watches import WatchError
    from library.console import fail
    from library.house import opened
    from library.times import now

    try:
        wanted = read_folder(folder)
    except (WatchError, OSError) as error:
        fail(str(error), code=TYPED_WRONG)
    with opened() as house:
        failures = [
            f"{one.name}: {failure}"
            for one in wanted
            for failure in failed_checks(house.store, house.sources, one.query, one.checks)
        ]
        if failures:
            fail("\n".join((*failures, "Nothing was changed.")))
        steps = plan(house.store, wanted)
        for step in steps:
            typer.echo(step.line)
        todo = [step for step in steps if step.kind != "keep"]
        if not todo:
            typer.echo("Everything is as the files have it.")
            return
        if not yes and not (sys.stdin.isatty() and typer.confirm(f"Do these {len(todo)} steps?")):
            typer.echo("Nothing was changed; --yes does it.")
            return
        try:
            carry_out(house.store, todo, now=now(), zone=house.settings.zone, confirmed=confirmed)
        except WatchError as error:
            fail(str(error))
    typer.echo(f"{len(todo)} steps are done.")


@watch_app.command("check")
def check_watches() -> None:
    """Hold every watch to what it must select and must not. Exit code 1 where one does not."""
    from alerts.reviewed import failed_checks
    from alerts.watches import list_watches
    from indexer.query import QueryError
    from library.house import opened

    failed = checked = 0
    with opened() as house:
        for watch in list_watches(house.store, ended=False):
            checked += len(watch.checks.must_match) + len(watch.checks.must_not_match)
            try:
                found = failed_checks(house.store, house.sources, watch.query, watch.checks)
            except QueryError as error:
                found = [f"its query cannot be read any more: {error}"]
            for failure in found:
                typer.echo(f"watch {watch.id} {watch.title}: {failure}")
            failed += len(found)
    typer.echo(f"{checked} checks, {failed} failed.")
    if failed:
        raise typer.Exit(1)


@watch_app.command("categories")
def show_categories(json: Json = False) -> None:
    """List the watches offered to people who do not write queries."""
    from alerts.watches import categories
    from library.console import print_json

    if json:
        print_json({code: {"zh": one.zh, "en": one.en, "query": one.query} for code, one in categories().items()})
        return
    for code, one in categories().items():
        typer.echo(f"{code:20} {one.zh} / {one.en}\n{'':20} {one.query}")


@alerts_app.command("send")
def send(json: Json = False) -> None:
    """One pass: match what is new, plan what is due, send it. Exit code 1 where mail was refused or the server is out."""
    from dataclasses import asdict

    from alerts.deadlines import tell_deadlines
    from alerts.matching import MatchingFollower
    from alerts.operator import report_runs
    from alerts.outbox import deliver_due
    from library.console import print_json
    from library.follow import follow
    from library.house import opened
    from library.times import now

    with opened() as house:
        follow(house.store, MatchingFollower(house.store, house.sources, now))
        tell_deadlines(house.store, house.settings, now=now())
        report_runs(house.store, house.settings, now())
        counts = deliver_due(house.store, house.settings, now, sources=house.sources)
    if json:
        print_json(asdict(counts))
    else:
        typer.echo(_pass_sentence(counts))
    if counts.problem or counts.failed or counts.given_up:
        raise typer.Exit(1)


@alerts_app.command("run")
def run() -> None:
    """Match and send until stopped; once a night, compare the ledger with what it should hold, and mend it."""
    import signal
    import threading

    from alerts.deadlines import HourlyDeadlines
    from alerts.matching import MatchingFollower
    from alerts.outbox import run_outbox
    from alerts.sweep import NightlySweep
    from library.console import set_up_logging
    from library.follow import follow
    from library.house import opened
    from library.times import now

    set_up_logging()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with opened() as house:
        follower = MatchingFollower(house.store, house.sources, now)
        nightly = NightlySweep(house.store, house.settings, house.sources)
        hourly = HourlyDeadlines(house.store, house.settings)

        def before() -> None:
            follow(house.store, follower)
            hourly(now())
            nightly(now())

        run_outbox(
            house.store,
            house.settings,
            now,
            sources=house.sources,
            stop=stop,
            before=before,
        )


@alerts_app.command("check")
def check(
    days: Annotated[
        int | None, typer.Option(min=0, help="How far to look back; without it, to the last check.")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend the ledger, keep the figure, tell the operator.")
    ] = False,
    pairs: Annotated[int, typer.Option(min=0, help="Pairs of watch and record held together, at least.")] = 1_000_000,
    json: Json = False,
) -> None:
    """Ask every watch about what is new, and compare with what was written down. Exit code 1 where it differs."""
    from dataclasses import asdict
    from datetime import timedelta

    from alerts.sweep import sweep
    from library.console import print_json
    from library.house import opened
    from library.times import now, stamp

    with opened() as house:
        after = None
        if days is not None:
            with house.store.read() as transaction:
                since = stamp(now() - timedelta(days=days))
                after = transaction.value("SELECT coalesce(max(seq), 0) FROM change WHERE at < :since", since=since)
        mail = house.settings.mail
        operator = (mail.sender, mail.operator) if mail.operator else None
        found = sweep(house.store, house.sources, now=now(), after=after, repair=repair, pairs=pairs, operator=operator)
    if json:
        print_json(found.as_json() | {"differences": [asdict(one) for one in found.differences]})
    else:
        typer.echo(_sweep_sentence(found))
        for one in found.differences:
            what = "is missing" if one.is_missing else "should not be there"
            typer.echo(f"watch {one.watch_id}: {one.record_id} version {one.version} by {one.channel} {what}")
        for line in found.disagreements:
            typer.echo(line)
    if not found.is_clean:
        raise typer.Exit(1)


@alerts_app.command("test")
def test(recipient: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where to send it.")]) -> None:
    """Send a test mail at once and say what the mail server made of it. Nothing is kept of it."""
    from email.utils import parseaddr
    from secrets import token_hex

    from alerts.letter import trial_letter
    from alerts.mail import Heard, MailServer, MailServerError, freeze, message_id
    from alerts.watches import WatchError, address
    from library.console import fail
    from library.house import read_settings
    from library.times import now

    mail = read_settings().mail
    try:
        reader = address(recipient)
    except WatchError as error:
        fail(str(error), code=TYPED_WRONG)
    name = message_id(f"test:{token_hex(8)}", reader, mail.sender)
    content = freeze(trial_letter(), sender=mail.sender, recipient=reader, message_id=name, at=now())
    try:
        with MailServer(mail) as server:
            answer = server.send(parseaddr(mail.sender)[1], reader, content)
    except MailServerError as error:
        fail(str(error))
    at = f"{mail.host}:{mail.port}"
    match answer.heard:
        case Heard.ACCEPTED:
            typer.echo(f"{at} took the mail to {reader} ({answer.words}). Message-ID {name}")
        case Heard.REFUSED:
            fail(f"{at} refuses mail to {reader}: {answer.words}")
        case Heard.LATER:
            fail(f"{at} does not take the mail now: {answer.words}. A real alert would be tried again.")
        case Heard.NOTHING:
            fail(f"{at} may have taken the mail to {reader} and did not say so: {answer.words}")


@alerts_app.command("retry")
def retry_lost(
    mail: Annotated[list[int] | None, typer.Option(help="A mail, by its number in `ttm alerts status`.")] = None,
    call: Annotated[list[int] | None, typer.Option(help="A call of a web hook or robot, by its number.")] = None,
    failed_since: Annotated[str, typer.Option(metavar="DAY", help="All that were made since a day, 2026-03-01.")] = "",
    json: Json = False,
) -> None:
    """Send again what failed (it was refused for good) or was given up (it was tried for five days).

    A mail goes out under the Message-ID it had, a call under its id, so that a copy that did arrive is known for one. What
    was sent, still waits, or was cancelled is left alone, and so is what only ended watches would be told.
    """
    from dataclasses import asdict
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from alerts.outbox import retry
    from library.console import fail, print_json
    from library.house import opened
    from library.times import now
    from library.vocabulary.dates import parse_date

    if not (mail or call or failed_since):
        fail("name a --mail or a --call, or a day by --failed-since", code=TYPED_WRONG)
    with opened() as house:
        since = None
        if failed_since:
            try:
                day = parse_date(failed_since, ["%Y-%m-%d"])
            except ValueError:
                fail(f"{failed_since!r} is no day like 2026-03-01", code=TYPED_WRONG)
            since = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(house.settings.zone))
        found = retry(house.store, now=now(), mails=mail or (), calls=call or (), since=since)
    if json:
        print_json({"retried": [asdict(one) for one in found]})
    else:
        for one in found:
            to = f" to {one.recipient}" if one.kind == "mail" and one.recipient else ""
            again = "goes out again" + (", and may have arrived before" if one.may_have_arrived else "")
            typer.echo(f"{one.kind} {one.id}{to}: {again if not one.why else f'left alone, {one.why}'}")
        typer.echo(f"{sum(not one.why for one in found)} go out again with the next pass.")
    if any(one.why for one in found):
        raise typer.Exit(1)


@alerts_app.command("status")
def show_status(json: Json = False) -> None:
    """Show deliveries and mails by state, and what waits."""
    from alerts.outbox import list_mails, lost_calls, status
    from alerts.workdays import HolidayError, known_until, read_years
    from library.console import print_json
    from library.house import opened
    from library.times import now

    with opened() as house:
        stands = status(house.store, now())
        lost = [mail for state in ("failed", "given_up") for mail in list_mails(house.store, state=state, limit=20)]
        calls = lost_calls(house.store)
        year = known_until(now().date())
    if json:
        print_json(stands | {"holidays_known_until": year})
        return
    typer.echo(f"{stands['watches']} watches go on.")
    for watch_id in stands["unreadable_watches"]:
        typer.echo(f"Watch {watch_id} is told nothing: its query cannot be read any more.")
    typer.echo(f"Deliveries: {_counted(stands['deliveries'])}")
    typer.echo(f"Mails: {_counted(stands['mails'])}; sent without hearing the answer: {stands['in_doubt']}")
    if stands["oldest_waiting_s"]:
        typer.echo(f"The oldest mail waits for {stands['oldest_waiting_s'] / 60:.0f} minutes. {stands['last_error']}")
    if stands["sweep"]:
        typer.echo(f"Last sweep of the ledger: {sweep_words(stands['sweep'])}")
    for mail in lost:
        typer.echo(f"{mail.state}: mail {mail.id} to {mail.recipient}, {mail.items} deliveries: {mail.last_error}")
    for row in calls:
        typer.echo(
            f"{row['state']}: call {row['id']} of watch {row['watch_id']}, {row['items']} deliveries: {row['last_error']}"
        )
    if lost or calls:
        typer.echo("`ttm alerts retry` sends them again.")
    try:
        read_years()
    except (HolidayError, OSError) as error:
        typer.echo(f"config/holidays.toml counts for nothing: {error}")
    typer.echo(
        f"Holidays in mainland China are known up to {year}; of later days only weekends are left out. "
        "config/holidays.toml takes a year once it is announced."
    )


def _preview(house: House, query: str) -> Preview:
    from alerts.watches import preview
    from indexer.engines import open_engine
    from library.times import now

    engine = open_engine(house.settings)
    try:
        return preview(house.store, engine, query, now=now())
    finally:
        engine.close()


def _agreed(seen: Preview, *, may_ask: bool) -> bool:
    """Ask whether to save a watch where somebody can answer; elsewhere refuse one that is of no use."""
    import sys

    from library.console import fail

    is_of_no_use = bool(seen.warning) and not _is_untold(seen)
    if may_ask and sys.stdin.isatty():
        return typer.confirm("Save it all the same?" if is_of_no_use else "Save it?", default=not is_of_no_use)
    if is_of_no_use:
        fail(f"It is not saved: {WARNINGS[seen.warning]} --yes saves it all the same.")
    return True


def _is_untold(seen: Preview) -> bool:
    """Whether the library is too empty to say what a watch would find."""
    return seen.warning == "nothing" and not seen.years


def _print_preview(seen: Preview) -> None:
    from alerts.wording import clean

    typer.echo(f"In the last 12 months it would have found {seen.total} records.")
    if _is_untold(seen):
        typer.echo("The library holds no dated records yet; they would say what it finds.")
    elif seen.warning:
        typer.echo(f"Warning: {WARNINGS[seen.warning]}")
    for year in seen.years:
        typer.echo(f"  {year.year}  {year.total:6} in all, {year.a_week:.1f} a week")
    widest = max(seen.months.values(), default=0)
    for month, count in seen.months.items():
        typer.echo(f"  {month} {count:6} {'█' * round(30 * count / widest) if widest else ''}")
    if seen.also_searched:
        typer.echo(f"Also searched: {', '.join(seen.also_searched)}")
    for record in seen.newest:
        typer.echo(f"  {record.published or 'undated'!s:10}  {record.jurisdiction}  {clean(record.title('zh'), 100)}")


def _pass_sentence(counts: Counts) -> str:
    if counts.busy:
        return "Another outbox is sending; nothing was done."
    said = (
        f"{counts.planned} mails planned, {counts.sent} sent, {counts.later} to be tried again, {counts.failed} refused, "
        f"{counts.in_doubt} in doubt, {counts.given_up} given up."
    )
    return f"{said} {counts.problem}".strip()


def sweep_words(figures: Mapping[str, Any]) -> str:
    """The figures of a sweep in one line."""
    return (
        f"{figures['at'][:16]}Z, {figures['watches']:,} watches and {figures['versions']:,} versions, {figures['pairs']:,} "
        f"pairs: {figures['missing']} missing, {figures['surplus']} too many, {figures['repaired']} mended"
    )


def _sweep_sentence(found: Sweep) -> str:
    return (
        f"{found.watches:,} watches were asked of {found.versions:,} versions (changes {found.after_change:,} to "
        f"{found.upto_change:,}), and {found.pairs:,} pairs held together: {found.missing} deliveries missing, "
        f"{found.surplus} too many, {found.repaired} mended, {found.unmatched} versions that nothing can be said of."
    )


def _counted(states: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in states.items()) or "none"


def _watch_json(watch: Watch) -> dict[str, Any]:
    from dataclasses import asdict

    return {name: value for name, value in asdict(watch).items() if name != "hook_secret"}


def _refuse(query: str, error: QueryError) -> NoReturn:
    """Show where a query cannot be read; Han characters are two cells wide on a terminal."""
    from library.console import fail

    before = query.replace("\n", " ")[: error.column - 1]
    cells = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in before)
    fail(f"{query}\n{' ' * cells}^\n{error.message}", code=TYPED_WRONG)
