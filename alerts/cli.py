"""Commands: `ttm watch …` and `ttm alerts …`. Exit codes: 0 done, 1 it failed, 2 what was typed is wrong."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from alerts.outbox import Counts
    from alerts.watches import Preview, Watch
    from library.settings import Settings
    from library.source import Source
    from library.store.store import Store

watch_app = typer.Typer(no_args_is_help=True, help="Saved queries that are mailed when something new matches.")
alerts_app = typer.Typer(no_args_is_help=True, help="The outbox: send what is due, look how it stands.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@watch_app.command("add")
def add(
    recipient: Annotated[str, typer.Argument(help="The mail address to tell.")],
    query: Annotated[str, typer.Argument(help="What to look for, as typed into the search box.")] = "",
    category: Annotated[str, typer.Option(help="Instead of a query: a code of `ttm watch categories`.")] = "",
    title: Annotated[str, typer.Option(help="A name for the subject line.")] = "",
    daily: Annotated[bool, typer.Option("--daily", help="One mail a day at 08:00 instead of one at once.")] = False,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    zone: Annotated[str, typer.Option(help="Time zone of the reader; the configured one where left out.")] = "",
    actions: Annotated[
        str, typer.Option(help="What to hear of: some of added,amended,withdrawn,restored.")
    ] = "added,withdrawn",
    as_json: Json = False,
) -> None:
    """Save a watch, and show what it would have found."""
    from alerts.watches import Cadence, WatchError, add_watch, categories
    from indexer.query import QueryError
    from library.times import now

    if bool(query) == bool(category):
        _refuse("give a query or a --category, one of the two")
    if category and category not in categories():
        _refuse(f"there is no category {category!r}; `ttm watch categories` lists them")
    offered = categories()[category] if category else None
    settings, store = _open()
    try:
        watch = add_watch(
            store,
            offered.query if offered else query,
            recipient,
            now=now(),
            title=title or ((offered.zh if language == "zh" else offered.en) if offered else ""),
            cadence=Cadence.DAILY if daily else Cadence.IMMEDIATE,
            language=language,
            zone=zone or settings.zone,
            actions=tuple(filter(None, actions.replace(" ", "").split(","))),
        )
    except QueryError as error:
        _refuse_query(query, error)
    except WatchError as error:
        _refuse(str(error))
    if as_json:
        _print_json(_watch_json(watch))
        return
    when = f"daily at 08:00 {watch.zone}" if watch.cadence is Cadence.DAILY else "as soon as something matches"
    print(f"Watch {watch.id} is saved. {watch.recipient} is told {when}.")
    seen = _preview(settings, store, watch.query)
    if seen is None:
        print("There is no search index yet, so what it would have found cannot be shown.")
    else:
        _print_preview(seen)


@watch_app.command("list")
def show(
    ended: Annotated[bool, typer.Option("--ended", help="Those that ended, too.")] = False, as_json: Json = False
) -> None:
    """List the watches."""
    from alerts.watches import list_watches

    _, store = _open()
    watches = list_watches(store, ended=ended)
    if as_json:
        _print_json([_watch_json(watch) for watch in watches])
        return
    if not watches:
        print("There are no watches. `ttm watch add ADDRESS QUERY` saves one.")
    for watch in watches:
        over = f"  ended {watch.ended_at:%Y-%m-%d}: {watch.ended_why}" if watch.ended_at else ""
        print(f"{watch.id}  {watch.recipient}  {watch.cadence}  {watch.language}  {watch.title}  [{watch.query}]{over}")


@watch_app.command("preview")
def preview(query: Annotated[str, typer.Argument(help="What to look for.")], as_json: Json = False) -> None:
    """Show what a query would have found in the last 12 months."""
    from indexer.query import QueryError

    settings, store = _open()
    try:
        seen = _preview(settings, store, query)
    except QueryError as error:
        _refuse_query(query, error)
    if seen is None:
        _fail("there is no search index yet; `ttm index rebuild` makes it")
    if as_json:
        _print_json(
            {
                "query": seen.query,
                "total": seen.total,
                "months": dict(seen.months),
                "also_searched": list(seen.also_searched),
                "warning": seen.warning,
                "newest": [
                    {"id": record.id, "title": record.title("zh"), "published": record.published}
                    for record in seen.newest
                ],
            }
        )
        return
    _print_preview(seen)


@watch_app.command("remove")
def remove(watch_id: Annotated[str, typer.Argument(help="As `ttm watch list` shows it.")]) -> None:
    """End a watch. What is due to it and not yet sent is not sent."""
    from alerts.watches import end_watch
    from library.times import now

    _, store = _open()
    if not end_watch(store, watch_id, now=now()):
        _fail(f"there is no watch {watch_id!r} that goes on")
    print(f"Watch {watch_id} is ended.")


@watch_app.command("categories")
def show_categories(as_json: Json = False) -> None:
    """List the watches offered to people who do not write queries."""
    from alerts.watches import categories

    if as_json:
        _print_json({code: {"zh": one.zh, "en": one.en, "query": one.query} for code, one in categories().items()})
        return
    for code, one in categories().items():
        print(f"{code:20} {one.zh} / {one.en}\n{'':20} {one.query}")


@alerts_app.command("send")
def send(as_json: Json = False) -> None:
    """One pass: match what is new, plan what is due, send it."""
    from alerts.matching import MatchingFollower
    from alerts.operator import report_runs
    from alerts.outbox import deliver_due
    from library.follow import follow
    from library.times import now

    settings, store = _open()
    sources = _sources()
    follow(store, MatchingFollower(store, sources, now))
    report_runs(store, settings, now())
    counts = deliver_due(store, settings, now, sources=sources)
    if as_json:
        from dataclasses import asdict

        _print_json(asdict(counts))
    else:
        print(_pass_sentence(counts))
    if counts.problem or counts.failed or counts.given_up:
        sys.exit(1)


@alerts_app.command("run")
def run() -> None:
    """Match and send until stopped."""
    import logging
    import signal
    import threading

    from alerts.matching import MatchingFollower
    from alerts.outbox import run_outbox
    from library.follow import follow
    from library.times import now

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    settings, store = _open()
    sources, stop = _sources(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    follower = MatchingFollower(store, sources, now)
    run_outbox(store, settings, now, sources=sources, stop=stop, before=lambda: follow(store, follower))
    store.close()


@alerts_app.command("check")
def check(
    days: Annotated[int, typer.Option(help="How far to look back.")] = 2,
    as_json: Json = False,
) -> None:
    """Hold every watch against every change of the last days, and compare with what was written down."""
    from dataclasses import asdict
    from datetime import timedelta

    from alerts.matching import differences
    from library.times import now, stamp

    _, store = _open()
    with store.read() as transaction:
        since = stamp(now() - timedelta(days=days))
        after = transaction.value("SELECT coalesce(max(seq), 0) FROM change WHERE at < :since", since=since)
    found = differences(store, _sources(), after=after)
    if as_json:
        _print_json([asdict(difference) for difference in found])
    elif not found:
        print(f"The ledger holds what it should for the changes after {after}.")
    for difference in found if not as_json else ():
        what = "is missing" if difference.is_missing else "should not be there"
        print(f"watch {difference.watch_id}: {difference.record_id} version {difference.version} {what}")
    if found:
        sys.exit(1)


@alerts_app.command("test")
def test(recipient: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where to send it.")]) -> None:
    """Send a test mail at once and say what the mail server made of it. Nothing is kept of it."""
    from email.utils import parseaddr
    from secrets import token_hex

    from alerts.letter import Letter
    from alerts.mail import Heard, MailServer, MailServerError, freeze, message_id
    from alerts.watches import WatchError, address
    from library.settings import Settings
    from library.times import now

    settings = Settings()
    mail = settings.mail
    try:
        reader = address(recipient)
    except WatchError as error:
        _refuse(str(error))
    letter = Letter(
        subject="[ttm] 测试邮件 Test mail",
        text="邮件设置可用。\nMail from the library arrives.\n",
        html='<!doctype html><html lang="zh"><body><p>邮件设置可用。</p><p>Mail from the library arrives.</p></body></html>',
    )
    name = message_id(f"test:{token_hex(8)}", reader, mail.sender)
    content = freeze(letter, sender=mail.sender, recipient=reader, message_id=name, at=now())
    try:
        with MailServer(mail) as server:
            answer = server.send(parseaddr(mail.sender)[1], reader, content)
    except MailServerError as error:
        _fail(str(error))
    at = f"{mail.host}:{mail.port}"
    match answer.heard:
        case Heard.ACCEPTED:
            print(f"{at} took the mail to {reader}: {answer.words}. Message-ID {name}")
        case Heard.REFUSED:
            _fail(f"{at} refuses mail to {reader}: {answer.words}")
        case Heard.LATER:
            _fail(f"{at} does not take the mail now: {answer.words}. A real alert would be tried again.")
        case Heard.NOTHING:
            _fail(f"{at} may have taken the mail to {reader} and did not say so: {answer.words}")


@alerts_app.command("status")
def show_status(as_json: Json = False) -> None:
    """Show deliveries and mails by state, and what waits."""
    from alerts.outbox import list_mails, status
    from library.times import now

    _, store = _open()
    stands = status(store, now())
    if as_json:
        _print_json(stands)
        return
    print(f"{stands['watches']} watches go on.")
    print(f"Deliveries: {_counted(stands['deliveries'])}")
    print(f"Mails: {_counted(stands['mails'])}; sent without hearing the answer: {stands['in_doubt']}")
    if stands["oldest_waiting_s"]:
        print(
            f"The oldest mail waits for {stands['oldest_waiting_s'] / 60:.0f} minutes. {stands['last_error']}".strip()
        )
    for state in ("failed", "given_up"):
        for mail in list_mails(store, state=state, limit=20):
            print(f"{state}: mail {mail.id} to {mail.recipient}, {mail.items} records: {mail.last_error}")


def _open() -> tuple[Settings, Store]:
    from library.settings import Settings
    from library.store.store import Store

    settings = Settings()
    return settings, Store(settings.database)


def _sources() -> dict[str, Source]:
    from library.settings import sources_folder
    from library.source import load_sources

    return load_sources(sources_folder())


def _pass_sentence(counts: Counts) -> str:
    if counts.busy:
        return "Another outbox is sending; nothing was done."
    said = (
        f"{counts.planned} mails planned, {counts.sent} sent, {counts.later} to be tried again, {counts.failed} refused, "
        f"{counts.in_doubt} in doubt, {counts.given_up} given up."
    )
    return f"{said} {counts.problem}".strip()


def _print_preview(seen: Preview) -> None:
    print(f"In the last 12 months it would have found {seen.total} records.")
    if seen.warning == "nothing":
        print("Warning: it finds nothing in the whole library. Is a word misspelt?")
    if seen.warning == "everything":
        print("Warning: it finds most of what there is. A country, hazard or product narrows it.")
    widest = max(seen.months.values(), default=0)
    for month, count in seen.months.items():
        print(f"  {month} {count:6} {'█' * round(30 * count / widest) if widest else ''}")
    if seen.also_searched:
        print(f"Also searched: {', '.join(seen.also_searched)}")
    for record in seen.newest:
        print(f"  {record.published or 'undated':10}  {record.jurisdiction}  {_line(record.title('zh'))}")


def _line(text: str) -> str:
    from alerts.wording import clean

    return clean(text, 100)


def _counted(states: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in states.items()) or "none"


def _watch_json(watch: Watch) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(watch)


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _refuse_query(query: str, error: Any) -> NoReturn:
    print(query, file=sys.stderr)
    print(" " * (error.column - 1) + "^", file=sys.stderr)
    _refuse(str(error))


def _refuse(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    sys.exit(2)


def _fail(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    sys.exit(1)
