"""The large search benchmark runs at a tiny size, says what it left out, and writes its page from what it measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import large_search
from benchmarks.large_search import Library, Measured, NaivePeer, main, page, slope
from indexer.engines.tantivy import TantivyEngine
from indexer.query import parse_query


def test_a_tiny_library_is_measured_and_the_page_says_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(large_search, "RATE_FOR_S", 1)
    monkeypatch.setattr(large_search, "ASKED", 2)
    monkeypatch.setattr(large_search, "STEPS", (2, 1))
    written = tmp_path / "growth.md"

    main(["--records", "100", "--without-elastic", "--write", str(written)])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Elasticsearch is not measured: it was left out"
    assert all(" goal" in line and " n=" in line for line in lines[1:])
    assert {line.split()[0] for line in lines[1:]} >= {"large_tantivy_word_p95_ms", "large_http_api_p95_ms"}
    text = written.read_text(encoding="utf-8")
    assert "--records 100 " in text
    assert all(line in text for line in lines)


def test_every_record_has_a_reference_of_its_own_by_which_it_is_found(tmp_path: Path) -> None:
    library = Library.of(20)
    engine = TantivyEngine(tmp_path)
    for entries, position in library.batches(0, 100):
        engine.write(entries, position)

    assert engine.count() == 100
    assert engine.search(parse_query("SR/000077/26"), 0, 5).total == 1
    assert engine.search(parse_query(library.key(60)), 0, 5).total == 1


@pytest.mark.parametrize(
    "text", ["bicycle", '"does not comply"', "kind:recall", "toy NOT magnet", "charger origin:CN", "充电器"]
)
def test_the_naive_peer_finds_as_much_as_the_engine_is_asked_for(text: str, tmp_path: Path) -> None:
    engine, peer = TantivyEngine(tmp_path / "index"), NaivePeer(tmp_path)
    for entries, position in Library.of(200).batches(0, 200):
        engine.write(entries, position)
        peer.write(entries, position)

    assert peer.ask(text, 0, ("kind",)) == engine.search(parse_query(text), 0, 5).total
    peer.close()


def test_a_slope_is_that_of_the_straight_line_through_what_was_measured() -> None:
    assert slope([(1.0, 3.0), (2.0, 5.0), (3.0, 7.0)]) == (1.0, 2.0)


def test_the_page_looks_ahead_along_the_slope() -> None:
    measured = [
        Measured(size, times={("tantivy", "word"): [size / 1000]}, docs_s={"tantivy": 5000.0}, disk={"tantivy": size})
        for size in (1000, 2000, 4000)
    ]

    assert "| tantivy word | 1.00 | 2.00 | 4.00 | 20,000 |" in page(measured, ["a line"], "")
