"""Undo a Content-Encoding, with a cap on what comes out: 611 kB of gzip can hold 629 MB."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import brotli

ACCEPTED = "gzip, deflate, br"
CHUNK = 64 * 1024
MEMBERS_MAX = 10_000  # bgzip makes one of every 64 kB; a body of empty ones would cost an hour
ZEROS = re.compile(rb"\x00*")


class EncodedBodyError(ValueError):
    """A body that is not what its Content-Encoding says, is cut short, or is larger than allowed."""


def decoded(body: bytes, content_encoding: str, limit_bytes: int) -> bytes:
    """Undo the encodings of a header such as 'gzip' or 'gzip, br', the last applied first.

    Raises EncodedBodyError naming the encoding and what is wrong.
    """
    for encoding in reversed([name.strip().lower() for name in content_encoding.split(",") if name.strip()]):
        if encoding in ("", "identity"):
            continue
        body = _capped(_pieces(body, encoding), encoding, limit_bytes)
    if len(body) > limit_bytes:
        raise EncodedBodyError(f"the body is {len(body):,} bytes, more than the {limit_bytes:,} allowed")
    return body


def _capped(pieces: Iterator[bytes], encoding: str, limit_bytes: int) -> bytes:
    out = bytearray()
    try:
        for piece in pieces:
            out += piece
            if len(out) > limit_bytes:
                raise EncodedBodyError(f"the {encoding} body unpacks to more than the {limit_bytes:,} bytes allowed")
    except (zlib.error, brotli.error) as error:
        raise EncodedBodyError(f"the body is not {encoding}: {error}") from error
    return bytes(out)


def _pieces(body: bytes, encoding: str) -> Iterator[bytes]:
    if encoding in ("gzip", "x-gzip"):
        yield from _inflated(body, 16 + zlib.MAX_WBITS, encoding)
    elif encoding == "deflate":
        # servers send raw deflate under the name of zlib's format; the zlib header's check bits tell
        is_zlib = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0
        yield from _inflated(body, zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS, encoding)
    elif encoding == "br":
        decompressor = brotli.Decompressor()
        for start in range(0, len(body), CHUNK):
            yield decompressor.process(body[start : start + CHUNK], output_buffer_limit=CHUNK)
            while not decompressor.can_accept_more_data():
                yield decompressor.process(b"", output_buffer_limit=CHUNK)
        if not decompressor.is_finished():
            raise EncodedBodyError("the br body is cut short")
    else:
        raise EncodedBodyError(f"nobody asked for the content encoding {encoding!r}")


def _inflated(body: bytes, window: int, encoding: str) -> Iterator[bytes]:
    """Inflate in pieces of bounded size; a gzip body may have several members, with zeros between them."""
    view, place, members = memoryview(body), 0, 0
    while place < len(body):
        members += 1
        if members > MEMBERS_MAX:
            raise EncodedBodyError(f"the {encoding} body has more than {MEMBERS_MAX:,} members")
        inflater = zlib.decompressobj(window)
        while not inflater.eof:
            fed: bytes | memoryview = inflater.unconsumed_tail
            if not fed:
                fed = view[place : place + CHUNK]
                place += len(fed)
            piece = inflater.decompress(fed, CHUNK)
            if not piece and not fed:
                raise EncodedBodyError(f"the {encoding} body is cut short")
            yield piece
        place -= len(inflater.unused_data)
        if window <= zlib.MAX_WBITS:
            return
        padding = ZEROS.match(body, place)
        place = padding.end() if padding else place
