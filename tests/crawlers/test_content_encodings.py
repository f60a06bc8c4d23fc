"""Content encodings: what was cut, mislabelled or blown up is refused with a reason, and costs no memory."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections.abc import Callable

import brotli
import pytest

from library.content_encoding import EncodedBodyError, decoded
from tests.places import ROOT

MIB = 1024 * 1024
LIMIT = 1 * MIB
TEXT = "国家标准 GB/T 1234-2020 召回公告\n".encode() * 500


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "deflate ": raw_deflate,  # servers send it raw under the same name
    "br": brotli.compress,
}


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_body_comes_out_as_it_went_in(encoding: str) -> None:
    assert decoded(PACKERS[encoding](TEXT), encoding, LIMIT) == TEXT


@pytest.mark.parametrize("encoding", ["", "identity", " , ", "identity, identity"])
def test_no_encoding_leaves_the_body_as_it_is(encoding: str) -> None:
    assert decoded(TEXT, encoding, LIMIT) == TEXT


def test_several_encodings_are_undone_the_last_first() -> None:
    assert decoded(brotli.compress(gzip.compress(TEXT)), "gzip, br", LIMIT) == TEXT


def test_a_gzip_body_of_several_members_is_read_to_its_end() -> None:
    members = gzip.compress(TEXT) + gzip.compress(b"") + gzip.compress(TEXT) + b"\x00" * 512

    assert decoded(members, "gzip", LIMIT) == TEXT + TEXT


def test_members_larger_than_a_piece_are_read_one_after_the_other() -> None:
    long = bytes(range(256)) * 1000

    assert decoded(gzip.compress(long) * 3, "gzip", LIMIT) == long * 3


@pytest.mark.parametrize("encoding", PACKERS)
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_body_that_was_cut_is_refused(encoding: str, keep: float) -> None:
    packed = PACKERS[encoding](TEXT)

    with pytest.raises(EncodedBodyError, match="cut short|is not"):
        decoded(packed[: int(len(packed) * keep)], encoding, LIMIT)


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_body_that_lacks_its_last_byte_is_refused(encoding: str) -> None:
    with pytest.raises(EncodedBodyError):
        decoded(PACKERS[encoding](TEXT)[:-1], encoding, LIMIT)


def test_a_second_member_that_was_cut_is_refused() -> None:
    with pytest.raises(EncodedBodyError):
        decoded(gzip.compress(TEXT) + gzip.compress(TEXT)[:-9], "gzip", LIMIT)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        *(
            (TEXT, "gzip"),
            (TEXT, "br"),
            (TEXT, "deflate"),
            (b"", "br"),
            (gzip.compress(TEXT), "br"),
            (zlib.compress(TEXT), "gzip"),
        ),
        *(
            (b"\x1f\x8b\x08" + TEXT, "gzip"),
            (gzip.compress(TEXT)[:10] + TEXT, "gzip"),
            (TEXT, "zstd"),
            (TEXT, "compress"),
        ),
        *((gzip.compress(TEXT) + b"tail", "gzip"), (TEXT, "gzip, br"), (b"\x00" * 100, "br")),
    ],
)
def test_a_body_that_is_not_what_its_header_says_is_refused_with_a_reason(body: bytes, encoding: str) -> None:
    with pytest.raises(EncodedBodyError) as refused:
        decoded(body, encoding, LIMIT)

    assert len(str(refused.value)) > 15


def test_an_empty_gzip_body_is_empty() -> None:
    assert decoded(b"", "gzip", LIMIT) == b""


def test_a_body_that_was_flipped_never_comes_out_changed() -> None:
    packed = bytearray(gzip.compress(TEXT))
    outcomes = set()
    for place in range(10, len(packed)):
        packed[place] ^= 0x10
        try:
            outcomes.add("same" if decoded(bytes(packed), "gzip", LIMIT) == TEXT else "changed")
        except EncodedBodyError:
            outcomes.add("refused")
        packed[place] ^= 0x10

    assert outcomes <= {"same", "refused"}


BOMB = """
import gzip, re, sys, time, zlib
import brotli
from library.content_encoding import EncodedBodyError, decoded

MIB = 1024 * 1024
zeros = lambda mib: bytes(mib * MIB)
kind = sys.argv[1]
if kind == "gzip":
    body, encoding = gzip.compress(zeros(1), 9) * 600, "gzip"
elif kind == "one gzip":
    packer = zlib.compressobj(1, wbits=31)
    body, encoding = b"".join(packer.compress(zeros(1)) for _ in range(200)) + packer.flush(), "gzip"
elif kind == "deflate":
    packer = zlib.compressobj(1)
    body, encoding = b"".join(packer.compress(zeros(1)) for _ in range(200)) + packer.flush(), "deflate"
elif kind == "br":
    packer = brotli.Compressor(quality=1)
    body, encoding = b"".join(packer.process(zeros(1)) for _ in range(200)) + packer.finish(), "br"
elif kind == "nested":
    body = gzip.compress(zeros(64), 9)
    for _ in range(4):
        body = gzip.compress(body, 9)
    encoding = "gzip, gzip, gzip, gzip, gzip"
elif kind == "long header":
    body, encoding = gzip.compress(b"x"), "gzip, " * 1000
elif kind == "empty members":
    body, encoding = gzip.compress(b"") * 1_000_000, "gzip"

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

base, started = peak(), time.monotonic()
try:
    decoded(body, encoding, 32 * MIB)
    print("came out")
except EncodedBodyError as error:
    print("refused:", error)
print(peak() - base, time.monotonic() - started, len(body))
"""


@pytest.mark.parametrize("kind", ["gzip", "one gzip", "deflate", "br", "nested", "long header", "empty members"])
def test_a_bomb_is_refused_at_the_limit_in_little_memory_and_time(kind: str) -> None:
    ended = subprocess.run([sys.executable, "-c", BOMB, kind], cwd=ROOT, capture_output=True, text=True, timeout=30)

    assert ended.returncode == 0, ended.stderr
    said, figures = ended.stdout.splitlines()
    memory_mib, seconds, _ = map(float, figures.split())
    assert said.startswith("refused: ")
    assert memory_mib < 150
    assert seconds < 10
