"""Forged tokens, for `python -m benchmarks.torture`: whatever is not ours to the last bit ends, shows and confirms nothing.

Forgers know real tokens of every kind, and not the key: they flip bits, cut, swap, re-sign, and use a token of one kind at
the door of another. lost counts watches that a forgery ended and real tokens that were refused, dup forgeries that were
taken for real.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from string import ascii_letters, digits

from itsdangerous import URLSafeSerializer

from alerts import tokens
from alerts.tokens import TokenError, digest_name_of, unsubscribe, watch_id_of
from alerts.watches import Watch, active_watches
from benchmarks.torture import BEGUN, Outcome, save_watches
from library.store.store import Store

KEY = "0f" * tokens.SECRET_LENGTH
PER_DELIVERY = 100
READERS = 10
LETTERS = ascii_letters + digits + "-_."
SALT = "ttm.unsubscribe"
MAKERS = {
    "watch": tokens.watch_token,
    "owner": tokens.owner_token,
    "confirm": tokens.confirm_token,
    "feed": tokens.feed_token,
    "digest": tokens.digest_token,
    "mail": tokens.mail_token,
}
ENDS = ("watch", "watches", "mail")  # kinds that the door of unsubscribing takes

Door = Callable[[str], object]


def torture(folder: Path, *, deliveries: int, seed: int) -> Outcome:
    """Try a hundred forgeries for each delivery asked for, at every door."""
    dice = Random(f"{seed}/forged_tokens")
    store = Store(f"sqlite:///{folder / 'store.sqlite'}")
    save_watches(store, readers=READERS)
    watches = active_watches(store)
    doors = doors_of(store)
    taken: Counter[str] = Counter()
    count = 0
    for way, door, token in forgeries(dice, watches, deliveries * PER_DELIVERY):
        count += 1
        taken[way] += passes(doors[door], token)
    lost = len(watches) - len(active_watches(store)) + refused(doors, watches)
    store.close()
    accepted = sum(taken.values())
    wrong = tuple(f"{way}: {number} were taken for real" for way, number in taken.items() if number)
    return Outcome("forged_tokens", count, lost, accepted, seed, f"accepted={accepted} ways={len(taken)}", wrong=wrong)


def doors_of(store: Store) -> dict[str, Door]:
    """Whatever asks for a token, by the kind it wants; unsubscribing is the door of 'watch'."""

    def ending(token: str) -> object:
        return unsubscribe(store, KEY, token, now=BEGUN + timedelta(days=1))

    def showing(kind: str) -> Door:
        return lambda token: watch_id_of(KEY, token, kind)

    return {
        "watch": ending,
        "digest": lambda token: digest_name_of(KEY, token),
        **{kind: showing(kind) for kind in ("owner", "confirm", "feed")},
    }


def passes(door: Door, token: str) -> bool:
    """Whether a door opens to a token; anything but a plain refusal is an error of ours and is raised."""
    try:
        door(token)
    except TokenError:
        return False
    return True


def refused(doors: dict[str, Door], watches: Sequence[Watch]) -> int:
    """How many real tokens their own door refuses; to try those of unsubscribing ends the watches."""
    return sum(not passes(door, MAKERS[kind](KEY, watch.id)) for kind, door in doors.items() for watch in watches)


def forgeries(dice: Random, watches: Sequence[Watch], count: int) -> Iterator[tuple[str, str, str]]:
    """(way, door, token): so many forgeries, every way in turn."""
    real = {kind: [make(KEY, watch.id) for watch in watches] for kind, make in MAKERS.items()}
    known = {token for tokens_of_kind in real.values() for token in tokens_of_kind}
    made, turn = 0, 0
    ways = list(WAYS)
    while made < count:
        way = ways[turn % len(ways)]
        turn += 1
        door = dice.choice(("watch", "watch", "owner", "confirm", "feed", "digest"))
        if way == "kind":
            kind = dice.choice([kind for kind in MAKERS if kind != door and not (door == "watch" and kind in ENDS)])
            made += 1
            yield way, door, dice.choice(real[kind])
            continue
        kind = "mail" if door == "watch" and dice.random() < 0.3 else door
        token = WAYS[way](dice, kind, dice.choice(real[kind]), dice.choice(watches).id)
        if token in known:  # two parts that were swapped may be the same
            continue
        made += 1
        yield way, door, token


def _bit(dice: Random, kind: str, token: str, watch_id: str) -> str:
    letters = bytearray(token.encode())
    letters[dice.randrange(len(letters))] ^= 1 << dice.randrange(8)
    return letters.decode("latin-1")


def _letter(dice: Random, kind: str, token: str, watch_id: str) -> str:
    # the last letter of each part holds bits that nobody needs: that is where two spellings could be one token
    place = dice.choice((len(token) - 1, token.index(".") - 1, dice.randrange(len(token))))
    return token[:place] + dice.choice(LETTERS) + token[place + 1 :]


def _cut(dice: Random, kind: str, token: str, watch_id: str) -> str:
    place = dice.randrange(len(token))
    return dice.choice((token[:place], token[place + 1 :], token[:place] + token[place + 1 :]))


def _longer(dice: Random, kind: str, token: str, watch_id: str) -> str:
    more = dice.choice(("=", "==", " ", "\n", "\0", ".", "A", "%00", "\u200b", "=" * 4000))
    place = dice.choice((0, len(token), dice.randrange(len(token))))
    return token[:place] + more + token[place:]


def _spelled(dice: Random, kind: str, token: str, watch_id: str) -> str:
    return dice.choice(
        (token.swapcase(), token.upper(), token[::-1], token.replace(".", ":"), token.replace(".", "．"))
    )


def _swapped(dice: Random, kind: str, token: str, watch_id: str) -> str:
    other = MAKERS[dice.choice(list(MAKERS))](KEY, watch_id)
    return f"{token.partition('.')[0]}.{other.rpartition('.')[2]}"


def _other_watch(dice: Random, kind: str, token: str, watch_id: str) -> str:
    """A payload written by the forger under a signature that is real."""
    payload = str(_signer(str(dice.random())).dumps([kind, f"{dice.getrandbits(128):032x}"])).partition(".")[0]
    return f"{payload}.{token.rpartition('.')[2]}"


def _other_key(dice: Random, kind: str, token: str, watch_id: str) -> str:
    near = dice.choice((KEY[:-1], KEY + "0", KEY.upper(), "", "secret", "ttm", f"{dice.getrandbits(256):064x}"))
    return str(_signer(near).dumps([kind, watch_id]))


def _other_purpose(dice: Random, kind: str, token: str, watch_id: str) -> str:
    """The key itself, used for something else."""
    salt, digest = dice.choice(
        (("", hashlib.sha256), ("ttm.session", hashlib.sha256), ("itsdangerous", hashlib.sha256), (SALT, hashlib.sha1))
    )
    signer = URLSafeSerializer(KEY, salt=salt, signer_kwargs={"digest_method": digest})
    return dice.choice(
        (str(signer.dumps([kind, watch_id])), f"{token.partition('.')[0]}.{tokens.hook_key(KEY, watch_id)}")
    )


def _unsigned(dice: Random, kind: str, token: str, watch_id: str) -> str:
    payload = token.partition(".")[0]
    return dice.choice((payload, f"{payload}.", f".{payload}", f"{payload}..{payload}", watch_id, f"{kind}:{watch_id}"))


def _invented(dice: Random, kind: str, token: str, watch_id: str) -> str:
    return "".join(letter if letter == "." else dice.choice(LETTERS) for letter in token)


def _signer(key: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt=SALT, signer_kwargs={"digest_method": hashlib.sha256})


def _never(dice: Random, kind: str, token: str, watch_id: str) -> str:
    raise AssertionError("a real token of another kind needs no forging")


WAYS: dict[str, Callable[[Random, str, str, str], str]] = {
    "bit": _bit,
    "letter": _letter,
    "cut": _cut,
    "longer": _longer,
    "spelled": _spelled,
    "swapped": _swapped,
    "other watch": _other_watch,
    "other key": _other_key,
    "other purpose": _other_purpose,
    "unsigned": _unsigned,
    "invented": _invented,
    "kind": _never,
}
