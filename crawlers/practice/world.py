"""World: the invented content behind the practice publishers, decided by a seed and made on demand.

Nothing is kept but small plans of what changes from night to night: a record is made when a page shows it,
so a hundred thousand records cost no more memory than three hundred.

Night 1 is the library up to yesterday. Each later night adds recalls dated that day (night 2 is `today`), amends
some, re-stamps some old ones and withdraws some; `expected` says which.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from random import Random
from typing import TypedDict


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a publisher's library grows. span_days: how far it reaches back; the others: records per night.

    stamps_edits: an edit moves the publisher's own 'last modified' stamp.
    """

    span_days: int
    amended: int = 0
    restamped: int = 0
    withdrawn: int = 0
    stamps_edits: bool = False


HABITS = {
    "eu_safety_gate": Habit(span_days=1500, amended=2, withdrawn=1),
    "eu_cellar": Habit(span_days=2500),  # a published act never changes; a corrigendum is another document
    "eu_rasff": Habit(span_days=1200, amended=1),
    "us_cpsc": Habit(span_days=1400, amended=1, restamped=2),  # LastPublishDate does not move on edits
    "us_openfda": Habit(span_days=1200, amended=2),
    "us_federal_register": Habit(span_days=900),
    "ca_recalls_opendata": Habit(span_days=2000, amended=1, restamped=1, withdrawn=1, stamps_edits=True),
    "wto_eping": Habit(span_days=1000, amended=1),
    "cn_openstd_samr": Habit(span_days=6000, amended=1, withdrawn=1),
    "uk_fsa_food_alerts": Habit(span_days=1100, amended=1, restamped=1, withdrawn=1, stamps_edits=True),
}
SOURCES = tuple(HABITS)

RECENT_DAYS = 14  # an amendment comes soon after the recall
WAITING_DAYS = 180  # between the issue of a standard and the day it comes into force

JOINT_MEMBERS = (
    ("BDI", "KEN", "RWA", "TZA", "UGA"),
    ("ARE", "BHR", "KWT", "OMN", "QAT", "SAU", "YEM"),
)
SINGLE_MEMBERS = [
    "CHN",
    "EU",
    "USA",
    "JPN",
    "KOR",
    "BRA",
    "IND",
    "VNM",
    "THA",
    "GBR",
    "CAN",
    "MEX",
    "CHL",
    "ZAF",
    "EGY",
    "SAU",
    "TUR",
    "IDN",
    "AUS",
    "NZL",
    "TPKM",
    "ARG",
    "COL",
    "PHL",
    "MYS",
]


def _age_days(place: int, count: int, span_days: int) -> int:
    """How old a record of night 1 is: one every other day in the last fortnight, then thinner the older.

    place: 0 for the newest of so many.
    """
    if place < 6:
        return 1 + 2 * place
    return 12 + int(span_days * ((place - 5) / count) ** 1.3)


class Expected(TypedDict):
    """What a source shows on a night, and what changed since the night before. Keys are identities as printed."""

    records: int
    added: list[str]
    amended: list[str]
    restamped: list[str]
    withdrawn: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one night does to one source: indices of records."""

    added: range
    amended: tuple[int, ...] = ()
    entering: tuple[int, ...] = ()  # standards that come into force: their state changes and nothing else
    restamped: tuple[int, ...] = ()
    withdrawn: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One record of a source, before its publisher prints it.

    published: the day it came out, for good. stamp: the day the publisher last touched it.
    revision: how often it was amended, the last time on `amended`. random(): the same dice every time.
    """

    seed: int
    source: str
    index: int
    key: str
    published: date
    stamp: date
    revision: int
    amended: date | None
    withdrawn: bool

    def random(self, salt: str = "") -> Random:
        return Random(f"{self.seed}/{self.source}/{self.index}/{salt}")


class World:
    """Ten publishers' invented libraries as they stand on a night; `night` may be set at any time.

    records: in all, shared evenly between the sources. today: the day of night 2; the UTC day where none is given.
    """

    def __init__(self, seed: int, records: int, night: int = 1, *, today: date | None = None) -> None:
        self.seed = seed
        self.records = records
        self.night = night
        self.today = today or datetime.now(UTC).date()
        self._plans: dict[tuple[str, int], Plan] = {}
        self._orders: dict[tuple[str, int], list[int]] = {}
        self._year_starts: dict[tuple[str, date], int] = {}

    def day(self, night: int | None = None) -> date:
        """The day of a night: yesterday on night 1, `today` on night 2."""
        return self.today + timedelta(days=(night or self.night) - 2)

    def updated_at(self) -> datetime:
        """When the publishers last rebuilt their files: 02:19 UTC of the night's day."""
        return datetime.combine(self.day(), time(2, 19), UTC)

    def share(self, source: str) -> int:
        """How many records a source has on night 1."""
        place = SOURCES.index(source)
        return self.records // len(SOURCES) + (place < self.records % len(SOURCES))

    def total(self, source: str, night: int | None = None) -> int:
        """How many records a source has ever had up to a night; index runs below it, the oldest first."""
        night = night or self.night
        return self._plan(source, night).added.stop if night > 1 else self.share(source)

    def published(self, source: str, index: int) -> date:
        """The day a record came out; never earlier than that of a smaller index."""
        share = self.share(source)
        if index < share:
            return self.today - timedelta(days=_age_days(share - 1 - index, share, HABITS[source].span_days))
        night = 2
        while index not in self._plan(source, night).added:
            night += 1
        return self.day(night)

    def item(self, source: str, index: int) -> Item:
        """A record as it stands on the present night."""
        published = self.published(source, index)
        stamp, revision, last_amended, withdrawn = published, 0, None, False
        for night in range(2, self.night + 1):
            plan = self._plan(source, night)
            amended = index in plan.amended
            gone = index in plan.withdrawn
            if index in plan.restamped or ((amended or gone) and HABITS[source].stamps_edits):
                stamp = self.day(night)
            revision += amended
            last_amended = self.day(night) if amended else last_amended
            withdrawn = withdrawn or gone
        return Item(
            seed=self.seed,
            source=source,
            index=index,
            key=self.key(source, index),
            published=published,
            stamp=stamp,
            revision=revision,
            amended=last_amended,
            withdrawn=withdrawn,
        )

    def withdrawn(self, source: str) -> frozenset[int]:
        """Indices of the records that have been withdrawn up to the present night."""
        plans = (self._plan(source, night) for night in range(2, self.night + 1))
        return frozenset(index for plan in plans for index in plan.withdrawn)

    def order(self, source: str) -> Sequence[int]:
        """Indices of all records up to the present night, the least recently stamped first."""
        known = self._orders.get((source, self.night))
        if known is None:
            moved = self._moved(source, self.night)
            known = [index for index in range(self.total(source)) if index not in moved]
            for index in sorted(moved, key=lambda index: (moved[index], index)):
                known.insert(bisect_right(known, moved[index], key=lambda other: self.stamp(source, other)), index)
            self._orders = {kept: order for kept, order in self._orders.items() if kept[1] == self.night}
            self._orders[source, self.night] = known
        return known

    def stamp(self, source: str, index: int) -> date:
        """The day the publisher last touched a record, on the present night."""
        return self._moved(source, self.night).get(index) or self.published(source, index)

    def stamped_between(self, source: str, first: date, last: date) -> Sequence[int]:
        """Indices of the records stamped in a range of days, both ends included, the oldest stamp first."""
        order = self.order(source)
        start = bisect_left(order, first, key=lambda index: self.stamp(source, index))
        return order[start : bisect_right(order, last, key=lambda index: self.stamp(source, index))]

    def published_between(self, source: str, first: date, last: date) -> range:
        """Indices of the records that came out in a range of days, both ends included."""
        everything = range(self.total(source))
        start = bisect_left(everything, first, key=lambda index: self.published(source, index))
        return range(start, bisect_right(everything, last, key=lambda index: self.published(source, index)))

    def pick(self, source: str, index: int, what: str, sides: int) -> int:
        """A fair die of so many sides for one question about one record; 0 .. sides-1."""
        asked = f"{self.seed}/{source}/{index}/{what}".encode()
        return int.from_bytes(blake2b(asked, digest_size=6).digest(), "big") % sides

    def cipher(self, source: str, index: int) -> str:
        """Eight hex digits that hide an index; `decipher` gives it back."""
        return f"{(index * 2654435761 + self._mask(source)) % 2**32:08x}"

    def decipher(self, source: str, digits: str) -> int:
        """The index behind eight hex digits; any number where they are not ours."""
        return (int(digits, 16) - self._mask(source)) * pow(2654435761, -1, 2**32) % 2**32

    def _mask(self, source: str) -> int:
        return self.pick(source, 0, "mask", 2**32)

    def plan(self, source: str, night: int) -> Plan:
        """What a night did to a source; night 1 did nothing."""
        return self._plan(source, night) if night > 1 else Plan(added=range(0))

    def expected(self, night: int | None = None) -> dict[str, Expected]:
        """What every source shows on a night and what changed since the night before.

        On night 1 everything is new and `added` is empty: there was no night before.
        """
        night = night or self.night
        return {source: self._expected(source, night) for source in SOURCES}

    def _expected(self, source: str, night: int) -> Expected:
        plan = self.plan(source, night)
        gone = sum(len(self._plan(source, earlier).withdrawn) for earlier in range(2, night + 1))
        vanishes = source in {"ca_recalls_opendata", "eu_safety_gate"}  # the others print the withdrawal
        return Expected(
            records=self.total(source, night) - (gone if vanishes else 0),
            added=[self.key(source, index) for index in plan.added],
            amended=[self.key(source, index) for index in sorted((*plan.amended, *plan.entering))],
            restamped=[self.key(source, index) for index in plan.restamped],
            withdrawn=[self.key(source, index) for index in plan.withdrawn],
        )

    def _moved(self, source: str, night: int) -> dict[int, date]:
        """Records whose stamp is not the day they came out, and their stamp."""
        moved: dict[int, date] = {}
        for earlier in range(2, night + 1):
            plan = self._plan(source, earlier)
            edits = (*plan.amended, *plan.withdrawn) if HABITS[source].stamps_edits else ()
            moved |= dict.fromkeys((*plan.restamped, *edits), self.day(earlier))
        return moved

    def _plan(self, source: str, night: int) -> Plan:
        if (source, night) not in self._plans:
            for step in range(2, night + 1):  # upwards, or a thousandth night would exhaust the stack
                if (source, step) not in self._plans:
                    self._plans[source, step] = self._make_plan(source, step)
        return self._plans[source, night]

    def _make_plan(self, source: str, night: int) -> Plan:
        habit, first = HABITS[source], self.total(source, night - 1)
        dice = Random(f"{self.seed}/{source}/night {night}")
        touched = {index for earlier in range(2, night) for index in self._touched(source, earlier)}
        recent = [index for index in range(max(0, first - 60), first) if self._is_recent(source, index, night)]
        old = list(range(first // 3)) if first < 3000 else [dice.randrange(first // 3) for _ in range(60)]
        if source == "cn_openstd_samr":  # only a standard in force can be repealed
            old = [index for index in old if not self.is_superseded(index)]

        def draw(candidates: list[int], count: int) -> tuple[int, ...]:
            free = sorted(set(candidates) - touched)
            drawn = tuple(sorted(dice.sample(free, min(count, len(free)))))
            touched.update(drawn)
            return drawn

        entering: tuple[int, ...] = ()
        if source == "cn_openstd_samr":  # what comes into force today turns from upcoming to current
            issued = self.day(night) - timedelta(days=WAITING_DAYS)
            everything = range(first)
            start = bisect_left(everything, issued, key=lambda index: self.published(source, index))
            stop = bisect_right(everything, issued, key=lambda index: self.published(source, index))
            entering = tuple(index for index in range(start, stop) if index not in touched)
            touched.update(entering)
        return Plan(
            added=range(first, first + 2 + dice.randrange(3)),
            withdrawn=draw(recent if source in {"eu_safety_gate", "uk_fsa_food_alerts"} else old, habit.withdrawn),
            restamped=draw(old, habit.restamped),
            amended=draw(recent, habit.amended),
            entering=entering,
        )

    def _touched(self, source: str, night: int) -> tuple[int, ...]:
        plan = self._plan(source, night)
        return (*plan.amended, *plan.entering, *plan.restamped, *plan.withdrawn)

    def _is_recent(self, source: str, index: int, night: int) -> bool:
        return (self.day(night) - self.published(source, index)).days <= RECENT_DAYS

    # Identities as the publishers print them, unique in a library of any size.

    def key(self, source: str, index: int) -> str:
        """The printed identity of a record."""
        match source:
            case "eu_safety_gate":
                return self._case_number(index)
            case "eu_cellar":
                published = self.published(source, index)
                return f"3{published.year}{self.act_letter(index)}{self._in_year(source, index):04d}"
            case "eu_rasff":
                return f"{self.published(source, index).year}.{self._in_year(source, index):04d}"
            case "us_cpsc":
                return self._recall_number(index)
            case "us_openfda":
                return self._enforcement_number(index)
            case "us_federal_register":
                if self.is_correction(index):
                    return f"C1-{self.key(source, index - 7)}"
                return f"{self.published(source, index).year}-{10000 + self._in_year(source, index):05d}"
            case "ca_recalls_opendata":
                return str(60000 + index)
            case "wto_eping":
                return ", ".join(self.symbols(index))
            case "cn_openstd_samr":
                return self._standard_number(index)
            case "uk_fsa_food_alerts":
                return self._notation(index)
        raise KeyError(source)

    def _in_year(self, source: str, index: int, *, first_month: int = 1) -> int:
        """The running number of a record in its year, from 1; the year may begin in another month."""
        published = self.published(source, index)
        begins = date(published.year - (published.month < first_month), first_month, 1)
        start = self._year_starts.get((source, begins))
        if start is None:
            start = bisect_left(range(index + 1), begins, key=lambda other: self.published(source, other))
            self._year_starts[source, begins] = start
        return index - start + 1

    def _case_number(self, index: int) -> str:
        letters = ("SR", "SR", "SR", "SR", "SR", "SR", "A12", "A12", "OR", "INFO")
        kind = letters[self.pick("eu_safety_gate", index, "kind", len(letters))]
        year = self.published("eu_safety_gate", index).year
        return f"{kind}/{self._in_year('eu_safety_gate', index):05d}/{year % 100:02d}"

    def act_letter(self, index: int) -> str:
        """R regulation, L directive, D decision."""
        return "RRRRLD"[self.pick("eu_cellar", index, "letter", 6)]

    def _recall_number(self, index: int) -> str:
        published = self.published("us_cpsc", index)
        fiscal_year = published.year + (published.month >= 10)
        return f"{fiscal_year % 100:02d}{self._in_year('us_cpsc', index, first_month=10):03d}"

    def enforcement_kind(self, index: int) -> str:
        """Which of the three endpoints holds a record: food, drug or device."""
        return ("food", "drug", "device")[index % 3]

    def _enforcement_number(self, index: int) -> str:
        year = self.published("us_openfda", index).year
        food = "H" if year >= 2026 else "F"  # the Human Foods Program numbers with H- where CFSAN wrote F-
        letter = {"food": food, "drug": "D", "device": "Z"}[self.enforcement_kind(index)]
        return f"{letter}-{self._in_year('us_openfda', index):04d}-{year}"

    def is_correction(self, index: int) -> bool:
        """Whether a Federal Register document corrects the one seven before it."""
        return index >= 40 and index % 40 == 0

    def members(self, index: int) -> tuple[str, ...]:
        """The members that file a notification; more than one for a joint one. An addendum is its parent's."""
        if index % 6 == 2 and self.pick("wto_eping", index, "joint", 3) == 0:
            return JOINT_MEMBERS[self.pick("wto_eping", index, "group", len(JOINT_MEMBERS))]
        return (SINGLE_MEMBERS[self.pick("wto_eping", self.parent(index), "member", len(SINGLE_MEMBERS))],)

    def parent(self, index: int) -> int:
        """The notification an addendum or revision belongs to; a regular one is its own."""
        return index - index % 6 if index % 6 in {4, 5} else index

    def area(self, index: int) -> str:
        """TBT or SPS; a joint notification is TBT here."""
        parent = self.parent(index)
        return (
            "SPS" if parent % 6 == 3 or (parent % 6 == 0 and self.pick("wto_eping", parent, "area", 3) == 0) else "TBT"
        )

    def symbols(self, index: int) -> tuple[str, ...]:
        """The document symbols of a notification, one per member."""
        suffix = {4: "/Rev.1", 5: "/Add.1"}.get(index % 6, "")
        number = 1 + self.parent(index)
        return tuple(f"G/{self.area(index)}/N/{member}/{number}{suffix}" for member in self.members(index))

    def standard_type(self, index: int) -> int:
        """1 mandatory, 2 recommended, 3 guidance."""
        return (1, 2, 2, 2, 2, 3)[self.pick("cn_openstd_samr", index - 5 * self.is_successor(index), "type", 6)]

    def is_successor(self, index: int) -> bool:
        """Whether a standard is the new edition of the one five before it."""
        source = "cn_openstd_samr"
        in_library = 5 <= index < self.share(source) and index % 10 == 5
        return in_library and self.published(source, index).year != self.published(source, index - 5).year

    def is_superseded(self, index: int) -> bool:
        """Whether a new edition of a standard was out before night 1."""
        return index % 10 == 0 and self.is_successor(index + 5)

    def _standard_number(self, index: int) -> str:
        first = index - 5 * self.is_successor(index)
        prefix = {1: "GB", 2: "GB/T", 3: "GB/Z"}[self.standard_type(index)]
        part = f".{1 + first % 4}" if first % 3 == 0 else ""
        return f"{prefix} {6000 + first}{part}-{self.published('cn_openstd_samr', index).year}"

    def alert_kind(self, index: int) -> str:
        """AA allergy alert, PRIN product recall notice, FAFA food alert for action."""
        return ("AA", "AA", "AA", "PRIN", "PRIN", "FAFA")[self.pick("uk_fsa_food_alerts", index, "kind", 6)]

    def _notation(self, index: int) -> str:
        if index % 12 == 7:  # an update of an earlier alert has its notation and a suffix
            return f"{self._notation(index - 3)}-update-1"
        year = self.published("uk_fsa_food_alerts", index).year
        return f"FSA-{self.alert_kind(index)}-{self._in_year('uk_fsa_food_alerts', index):02d}-{year}"
