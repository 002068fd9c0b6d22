"""The drawing of a soak: for each phase a column, for each measure a row, for each part or store a line. Plain SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Final

from .look import Kill, Line, Look
from .series import ALL, MEASURES, Measure, Series, series_of
from .told import TITLES

WIDTH, HEIGHT = 460, 150  # of one chart
LEFT, RIGHT, TOP, BOTTOM, GAP = 56, 130, 40, 24, 26
# Mostly Okabe and Ito's colours, which the colour-blind tell apart: a part or store has one in all charts.
COLOURS: Final = {
    "kafka": "#0072b2", "postgres": "#cc79a7", "spark": "#6a3d9a", "run": "#e69f00", "load": "#009e73", "lake": "#d55e00",
    "produce": "#56b4e9", "logs": "#8c6d31",
}  # fmt: skip
OTHER: Final = "#444444"
GRID: Final = "#dddddd"
TEXT: Final = "#333333"
POINTS: Final = 240  # of a line: more cannot be seen


def picture(lines: Sequence[Line]) -> str:
    """An SVG document, on white, that needs nothing else."""
    looks: dict[str, list[Look]] = {}
    for line in lines:
        if isinstance(line, Look):
            looks.setdefault(line.phase, []).append(line)
    column, row = LEFT + WIDTH + RIGHT, HEIGHT + BOTTOM + GAP
    width, height = column * max(1, len(looks)), TOP + row * len(MEASURES)
    body = []
    for number, (phase, seen) in enumerate(looks.items()):
        x = number * column + LEFT
        kills = [line.at_s for line in lines if isinstance(line, Kill) and line.phase == phase]
        body.append(_text(x, 18, TITLES.get(phase, phase), size=14, weight="bold"))
        found = series_of(seen)
        for place, measure in enumerate(MEASURES):
            body += _chart(x, TOP + place * row + 14, measure, [each for each in found if each.measure == measure], kills)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="11" fill="{TEXT}" role="img">\n<rect width="100%" height="100%" fill="#ffffff"/>\n'
        + "\n".join(body) + "\n</svg>\n"
    )  # fmt: skip


def _chart(x: float, y: float, measure: Measure, found: Sequence[Series], kills: Sequence[float]) -> Iterator[str]:
    shown = [each for each in found if each.points and each.name != ALL]
    yield _text(x, y - 4, f"{measure.title}{f' ({measure.unit})' if measure.unit else ''}", weight="bold")
    if not shown:
        return
    until = max(1.0, *kills, *(each.points[-1][0] for each in shown))
    top = _round_up(max(value for each in shown for _, value in each.points))
    for part in range(5):
        at = y + HEIGHT * (1 - part / 4)
        yield f'<line x1="{x}" y1="{at:.1f}" x2="{x + WIDTH}" y2="{at:.1f}" stroke="{GRID}"/>'
        yield _text(x - 6, at + 4, f"{top * part / 4:,.6g}", anchor="end")
    for at in kills:
        place = x + WIDTH * at / until
        yield f'<line x1="{place:.1f}" y1="{y + HEIGHT}" x2="{place:.1f}" y2="{y + HEIGHT - 5}" stroke="#999999"/>'
    for part in range(5):
        yield _text(
            x + WIDTH * part / 4, y + HEIGHT + 14, f"{until * part / 4 / 60:.{0 if until > 600 else 1}f} min", anchor="middle"
        )
    ends = []
    for each in shown:
        colour = COLOURS.get(each.name, OTHER)
        places = " ".join(
            f"{x + WIDTH * at / until:.1f},{y + HEIGHT * (1 - value / top):.1f}" for at, value in _thinned(each.points)
        )
        yield f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.3"/>'
        ends.append((y + HEIGHT * (1 - each.points[-1][1] / top), each.name, colour))
    yield from _names(x + WIDTH + 6, y, ends)


def _names(x: float, y: float, ends: Sequence[tuple[float, str, str]]) -> Iterator[str]:
    """At the ends of the lines, no two on top of each other."""
    size = min(13.0, (HEIGHT + 10) / len(ends))
    at = y - size
    rest = len(ends)
    for wanted, name, colour in sorted(ends):
        at = min(max(wanted + 4, at + size), y + HEIGHT + 6 - size * (rest - 1))
        rest -= 1
        yield _text(x, at, name, colour=colour)


def _thinned(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """The highest of each step: no peak is lost."""
    step = max(1, ceil(len(points) / POINTS))
    for first in range(0, len(points), step):
        yield max(points[first : first + step], key=lambda point: point[1])


def _round_up(value: float) -> float:
    """To 1, 2, 4 or 8 times a power of ten, so that quarters are short numbers."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(power * times for times in (1, 2, 4, 8, 10) if power * times >= value)


def _text(
    x: float, y: float, text: str, *, size: int = 11, weight: str = "normal", anchor: str = "start", colour: str = TEXT
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{colour}">'
        f"{escape(text)}</text>"
    )
