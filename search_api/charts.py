"""Charts drawn on the server: SVG without script and without inline style; colours come from the style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

NIGHT_WIDTH, NIGHT_HEIGHT = 9, 28
CHART_WIDTH, CHART_HEIGHT, AXIS_HEIGHT = 720, 84, 22
COLUMN_WIDTH_MAX = 20


@dataclass(frozen=True, slots=True)
class Night:
    """One night of a source. tone: 'good', 'quiet', 'bad' or 'none'; news: records added or amended; said: its tooltip."""

    tone: str
    news: int
    said: str


def sparkline(nights: Sequence[Night], label: str) -> Markup:
    """One bar a night, oldest first. A bad night is a full hollow bar, a night without a run a dot: not by colour alone."""
    most = max((night.news for night in nights), default=0) or 1
    bars = []
    for index, night in enumerate(nights):
        x = index * NIGHT_WIDTH + 1
        if night.tone == "none":
            shape = f'<circle cx="{x + 3}" cy="{NIGHT_HEIGHT - 3}" r="1.5"'
        else:
            height = NIGHT_HEIGHT - 2 if night.tone == "bad" else 3 + round((NIGHT_HEIGHT - 6) * night.news / most)
            shape = f'<rect x="{x}" y="{NIGHT_HEIGHT - 1 - height}" width="6" height="{height}"'
        bars.append(f'{shape} class="{night.tone}"><title>{escape(night.said)}</title></{shape[1:].split()[0]}>')
    width = len(nights) * NIGHT_WIDTH
    return Markup(
        f'<svg class="nights" role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {NIGHT_HEIGHT}" '
        f'width="{width}" height="{NIGHT_HEIGHT}">{"".join(bars)}</svg>'
    )


@dataclass(frozen=True, slots=True)
class Column:
    """One month of a chart: '2026-03', how many records of each kind, where a click leads, and its tooltip."""

    month: str
    counts: Mapping[str, int]
    href: str
    said: str

    @property
    def total(self) -> int:
        """All records of the month."""
        return sum(self.counts.values())


def two_digits(count: int) -> int:
    """What a sum of estimates can claim to know.

    >>> two_digits(12_340), two_digits(7)
    (12000, 7)
    """
    return int(float(f"{count:.1e}"))


def months_chart(columns: Sequence[Column], label: str, *, is_estimated: bool = False) -> Markup:
    """Stacked bars, one a month, each a link; the years stand below. An empty chart is ''.

    is_estimated: counts come from a sample, and the number at the axis says so.
    """
    most = max((column.total for column in columns), default=0)
    if not most:
        return Markup("")
    step = min(CHART_WIDTH / len(columns), COLUMN_WIDTH_MAX)
    gap = min(2.0, step / 4)
    width = round(step * len(columns))
    parts = []
    for index, column in enumerate(columns):
        x, y = index * step, float(CHART_HEIGHT)
        bars = []
        for kind, count in column.counts.items():
            height = count * (CHART_HEIGHT - 20) / most
            y -= height
            bars.append(
                f'<rect x="{x + gap / 2:.1f}" y="{y:.1f}" width="{step - gap:.1f}" height="{height:.1f}" '
                f'class="{escape(kind)}"/>'
            )
        if bars:
            parts.append(
                f'<a href="{escape(column.href)}" aria-label="{escape(column.said)}">'
                f"<title>{escape(column.said)}</title>{''.join(bars)}</a>"
            )
        if column.month.endswith("-01") or len(columns) == 1:
            parts.append(f'<text x="{x + 1:.1f}" y="{CHART_HEIGHT + 17}">{escape(column.month[:4])}</text>')
    parts.append(f'<text x="0" y="15">{f"≈{two_digits(most):,}" if is_estimated else f"{most:,}"}</text>')
    parts.append(f'<line x1="0" y1="{CHART_HEIGHT}" x2="{width}" y2="{CHART_HEIGHT}"/>')
    return Markup(
        f'<svg class="months" role="group" aria-label="{escape(label)}" '
        f'viewBox="0 0 {width} {CHART_HEIGHT + AXIS_HEIGHT}" width="{width}" height="{CHART_HEIGHT + AXIS_HEIGHT}">'
        f"{''.join(parts)}</svg>"
    )
