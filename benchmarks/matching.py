"""Match new records against 100,000 watches: through the index over watches, against holding every watch to every record.

The watches are of the kinds people save: a firm, a brand, a product in Chinese or English, codes together, a branch of
the nomenclature, a number, a phrase. There are two naive ways, and both must name the same watches: every watch held to
the record by `matches()`, measured on some of the records, and every watch put as a query to an index of the whole
library, measured on some of the watches too and multiplied up to all of them. That one is spared reading the watches and
most of the compiling, which the engine remembers of a few hundred queries and could not of all.
Times are of the computing thread: the machine is shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from random import Random
from time import process_time, thread_time
from typing import Any

from alerts.matching import MatchingFollower, WatchIndex, compiled
from alerts.watches import Watch
from benchmarks.figure import Figure, percentile
from benchmarks.invented_records import LAST_DAY, name, records
from crawlers.practice import goods
from indexer.engines.tantivy import TantivyEngine
from indexer.entry import entry_of
from indexer.query import And, Filter, Range, explain, matches
from library.record import Record
from library.source import Source
from library.store.store import Origin, SeenPage, Sighting, Store
from library.times import stamp
from library.vocabulary import categories, hazards

AT = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, 2, 30, tzinfo=UTC)
CHINESE = ("充电器", "毛绒玩具", "纽扣电池", "电动自行车", "儿童服装", "头盔", "灯串", "化妆品", "奶粉", "插座")
PHRASES = ('"small parts"', '"electric shock"', '"button cell battery"', '"full refund"', '"power bank"')


def figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """p99 for one record, all new records of a night, and how much the index spares."""
    watch_count, record_count, naive_count = (3_000, 60, 5) if quick else (100_000, 1_000, 10)
    library_count, asked_count = (500, 300) if quick else (20_000, 500)
    store = Store(f"sqlite:///{folder / 'store.sqlite'}")
    watches = _save(store, watch_count)
    new = [
        record.model_copy(update={"published": LAST_DAY}) for record in islice(records(10**6, seed=12), record_count)
    ]
    started = process_time()
    index = WatchIndex(watches)
    built_s = process_time() - started
    took_ms, selected = _indexed(index, new)
    naive_ms, expected = _naive(watches, new[:naive_count])
    wrong = sum(ours != theirs for ours, theirs in zip(selected, expected, strict=False))
    size = f"{watch_count}x{record_count}"
    yield Figure(
        name="matching_p99_ms_for_one_record",
        value=percentile(took_ms, 0.99),
        at_most=50,
        details=f"p50={percentile(took_ms, 0.5):.2f} selected={sum(map(len, selected)) / len(new):.0f} built={built_s:.1f}s",
        n=size,
    )
    yield Figure(name="matching_differs_from_every_pair", value=wrong, at_most=0, n=f"{watch_count}x{naive_count}")
    sample = watches[:: len(watches) // asked_count]
    engine = _library(folder, new, library_count)
    queries_ms, found = _queried(engine, sample, new[:naive_count])
    wrong = _differing(sample, selected, found)
    named = [watch for watch in watches if any(watch.id in some for some in selected[:naive_count])]
    wrong += _differing(named, selected, _queried(engine, named, new[:naive_count])[1])
    times = watch_count / len(sample)
    ours_ms, one_ms = sum(took_ms) / len(took_ms), sum(queries_ms) / naive_count * times
    asked = f"{len(sample)}_of_{watch_count}_watches_asked,times_{times:.0f}"
    yield Figure(
        name="matching_differs_from_the_engine", value=wrong, at_most=0, n=f"{len(sample) + len(named)}x{naive_count}"
    )
    yield Figure(
        name="matching_against_every_watch_as_a_query",
        value=one_ms / ours_ms,
        at_least=3 if quick else 50,
        details=f"ours={ours_ms:.2f}ms naive={one_ms:.0f}ms {asked}",
        n=f"{len(sample)}x{naive_count}_at_{library_count}",
    )
    night_s = _night_queried(engine, sample) * times
    engine.close()
    yield Figure(
        name="matching_against_every_pair",
        value=sum(naive_ms) / naive_count / (sum(took_ms) / len(took_ms)),
        at_least=3 if quick else 50,  # the more watches, the more is spared
        details=f"ours={sum(took_ms) / len(took_ms):.2f}ms naive={sum(naive_ms) / naive_count:.0f}ms",
        n=f"{watch_count}x{naive_count}",
    )
    seconds, told = _night(store, new)
    yield Figure(
        name="night_of_new_records_s",
        value=seconds,
        at_most=60,
        details=f"deliveries={told} naive={sum(naive_ms) / naive_count * record_count / 1000:.0f}s",
        n=size,
    )
    yield Figure(
        name="night_against_every_watch_as_a_query",
        value=night_s / seconds,
        details=f"ours={seconds:.1f}s,reasons_and_ledger_included naive={night_s:.1f}s,ids_alone {asked}",
        n=f"{size}_at_{library_count}",
    )
    store.close()


def _indexed(index: WatchIndex, new: Sequence[Record]) -> tuple[list[float], list[set[str]]]:
    """Milliseconds for each record, and the watches that select it; reading the record and the reasons included."""
    took_ms, selected = [], []
    for record in new:
        started = thread_time()
        entry = entry_of(record)
        found: set[str] = set()
        for group in index.candidates(entry):
            if matches(group.query, entry):
                explain(group.query, entry)
                found |= group.watches.keys()
        took_ms.append((thread_time() - started) * 1000)
        selected.append(found)
    return took_ms, selected


def _naive(watches: Sequence[Watch], new: Sequence[Record]) -> tuple[list[float], list[set[str]]]:
    queries = [(watch.id, compiled(watch.query)) for watch in watches]
    took_ms, selected = [], []
    for record in new:
        started = thread_time()
        entry = entry_of(record)
        selected.append({watch_id for watch_id, query in queries if matches(query, entry)})
        took_ms.append((thread_time() - started) * 1000)
    return took_ms, selected


def _library(folder: Path, new: Sequence[Record], count: int) -> TantivyEngine:
    """An index of so many records, the new ones among them."""
    engine = TantivyEngine(folder / "index")
    successor = engine.successor()
    known = islice(records(count), len(new), None)  # the first ones have the numbers of the new ones
    successor.write((entry_of(record) for record in chain(new, known)), 1)
    engine.promote(successor)
    return engine


def _queried(
    engine: TantivyEngine, watches: Sequence[Watch], new: Sequence[Record]
) -> tuple[list[float], list[set[str]]]:
    """Milliseconds for each record in which every watch is asked whether it selects it, and the watches that do."""
    queries = [(watch.id, compiled(watch.query)) for watch in watches]
    took_ms, selected = [], []
    for record in new:
        one = Filter("id", record.id)
        started = thread_time()
        selected.append(
            {watch_id for watch_id, query in queries if engine.search(And((query, one)), first=0, count=1).total}
        )
        took_ms.append((thread_time() - started) * 1000)
    return took_ms, selected


def _differing(watches: Sequence[Watch], ours: Sequence[set[str]], theirs: Sequence[set[str]]) -> int:
    """Of how many records the two name other ones of some watches."""
    ids = {watch.id for watch in watches}
    return sum(some & ids != others for some, others in zip(ours, theirs, strict=False))


def _night_queried(engine: TantivyEngine, watches: Sequence[Watch]) -> float:
    """Seconds in which every watch is asked once for all that was published on the last day."""
    queries = [compiled(watch.query) for watch in watches]
    day = Range("published", LAST_DAY.toordinal(), LAST_DAY.toordinal())
    started = thread_time()
    for query in queries:
        engine.search(And((query, day)), first=0, count=1_000)
    return thread_time() - started


def _night(store: Store, new: Sequence[Record]) -> tuple[float, int]:
    """Seconds in which the follower of a process that runs already writes the deliveries of all new records."""
    sources: dict[str, Source] = {}
    follower = MatchingFollower(store, sources, lambda: AT)
    for number, some in enumerate((new[:1], new[1:]), start=1):
        page = SeenPage(id=number, url_key=f"{number:032}", fetched_at=AT)
        with store.write() as transaction:
            sightings = [Sighting(record=record) for record in some]
            store.put_many(transaction, sightings, page, origin=Origin.CRAWL, at=AT)
        started = process_time()
        while changes := store.changes(follower.position()):
            follower.handle(changes)
        seconds = process_time() - started
    return seconds, follower.counts["deliveries"]


def _save(store: Store, count: int) -> list[Watch]:
    dice = Random(5)
    usual: dict[str, Any] = {
        "cadence": "daily",
        "language": "zh",
        "zone": "Asia/Shanghai",
        "actions": "added,withdrawn",
    }
    rows = []
    for number in range(count):
        query = _query(dice)
        address = f"reader{number % (count // 4)}@policy.example"
        rows.append(
            usual | {"id": f"{number:012x}", "query": query, "title": query, "recipient": address, "at": stamp(AT)}
        )
    with store.write() as transaction:
        transaction.do_many(ADD, rows)
    with store.read() as transaction:
        return [Watch.of(row) for row in transaction.rows("SELECT * FROM watch ORDER BY id")]


def _query(dice: Random) -> str:
    good, maker, market = dice.choice(goods.GOODS), goods.origin(dice), dice.choice(goods.NOTIFIERS)
    hazard, category = dice.choice(hazards.all_codes()), dice.choice(categories.all_codes())
    match dice.randrange(20):
        case 0 | 1 | 2:
            return f"company:{name(dice)} origin:{maker.code}"
        case 3 | 4 | 5:
            return f"brand:{goods.brand(dice)} {name(dice)}"
        case 6 | 7 | 8 | 9:
            return f"kind:recall category:{category} hazard:{hazard} origin:{maker.code}"
        case 10 | 11:
            return f"origin:{maker.code} jurisdiction:{market.code} hazard:{hazard}"
        case 12 | 13:
            return f"hs:{good.hs[: dice.choice((2, 4, 6))]} jurisdiction:{market.code} NOT {name(dice)}"
        case 14:
            return f"ics:{good.ics} (hazard:{hazard} OR {name(dice)})"
        case 15:
            return f"GB {dice.randrange(1000, 40000)}-2014"
        case 16:
            return f"{dice.choice(CHINESE)} origin:{maker.code} jurisdiction:{market.code}"
        case 17:
            return f"{dice.choice(CHINESE)} {name(dice)}"
        case 18:
            return f"{dice.choice(PHRASES)} jurisdiction:{market.code} {name(dice)}"
        case _:
            return f"{good.name.lower().split()[-1]} (hazard:{hazard} OR category:{category}) -{name(dice)}"


ADD = """
    INSERT INTO watch (id, title, query, recipient, cadence, language, zone, actions, after_change, created_at, confirmed_at)
    VALUES (:id, :title, :query, :recipient, :cadence, :language, :zone, :actions, 0, :at, :at)
"""
