"""What a soak has shown, as a section for docs/benchmarks.md: each figure's level, its slope, and whether that is growth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from .look import Began, Ended, Kill, Line, Look
from .series import Series, series_of

TITLES: Final = {
    "day": "A day of the shop, 60 times as fast",
    "load": "At full load, with faults, a part killed every minute",
}
# What grows by design, or up to a bound that is further away than the soak is long: the verdict says why; of disk, how much, too.
KEPT: Final[Mapping[tuple[str, str], str]] = {
    ("memory", "kafka"): "its heap fills, up to -Xmx",
    ("memory", "spark"): "its heap fills, up to -Xmx",
    ("memory", "all"): "see its parts",
    ("handles", "kafka"): "its log has more segments, up to its retention",
    ("handles", "postgres"): "a session keeps files open, up to 1,000",
    ("handles", "all"): "see its parts",
    ("disk", "kafka"): "up to its retention, and a segment of each partition",
    ("disk", "logs"): "each is cut at 8 MB",
    ("disk", "postgres"): "facts and marts are kept",
    ("disk", "lake"): "facts and raw archive are kept",
    ("disk", "spark"): "figures as Parquet are kept",
    ("disk", "all"): "what is kept, see its stores",
}


def told(lines: Sequence[Line], picture: str = "") -> str:
    """Markdown. `picture` is the file of the drawing, as the page links it."""
    out = []
    for began in (line for line in lines if isinstance(line, Began)):
        out += [f"`{began.command}`, {began.moment}, {began.machine}. {began.versions}.", ""]
    if picture:
        out += [f"![Memory, handles, threads, disk and delay over the time of the soak]({picture})", ""]
    for phase in dict.fromkeys(line.phase for line in lines if isinstance(line, Look)):
        out += _phase(phase, lines)
    return "\n".join(out)


def grows(lines: Sequence[Line]) -> list[str]:
    """What grows and is not meant to, and each phase whose count did not close: nothing where all is as it should be. What was
    not looked at long enough, or not counted, is not as it should be."""
    ended = {line.phase for line in lines if isinstance(line, Ended)}
    found = [] if _looks(lines) else ["nothing was looked at"]
    for phase, looks in _looks(lines).items():
        series = series_of(looks)
        if all(each.trend is None for each in series):
            found.append(f"{phase}: too few looks to say whether anything grows")
        found += [f"{phase}: {each.measure.key} of {each.name}" for each in series if _unexplained(each)]
        if phase not in ended:
            found.append(f"{phase}: it was cut off, and its count was not taken")
    found += [f"{line.phase}: {line.said}" for line in lines if isinstance(line, Ended) and not line.closes]
    found += [f"{line.phase}: {line.part} was not well again" for line in lines if isinstance(line, Kill) and line.back_s < 0]
    return found


def _phase(phase: str, lines: Sequence[Line]) -> list[str]:
    looks = _looks(lines)[phase]
    events = max(each.loaded for each in looks) - max(0, looks[0].loaded)  # the last look may find nobody who says
    minutes = (looks[-1].at_s - looks[0].at_s) / 60
    out = [f"### {TITLES.get(phase, phase)}", ""]
    rate = events / minutes / 60 if minutes else 0  # of one look
    said = f"{minutes:.0f} minutes, {len(looks):,} looks, {events:,} records loaded ({rate:,.0f} a second)."
    ended = next((line for line in lines if isinstance(line, Ended) and line.phase == phase), None)
    if ended is not None:
        lived = "the main process lived through all of it" if ended.starts == 1 else f"{ended.starts} main processes"
        said += f" The count {'closes' if ended.closes else 'DOES NOT CLOSE'}: {ended.said}; {lived}."
    out += [said, "", "| | | middle | least | most | slope an hour | 95 of 100 | |", "|---|---|---:|---:|---:|---:|---:|---|"]
    for each in series_of(looks):
        out.append(_row(each, events, looks))
    kills = [line for line in lines if isinstance(line, Kill) and line.phase == phase]
    if kills:
        out += ["", f"{len(kills)} kills. Until every part is well again, in seconds:", "", "| part | kills | middle | most |",
                "|---|---:|---:|---:|"]  # fmt: skip
        for part in sorted({kill.part for kill in kills}):
            took = [kill.back_s for kill in kills if kill.part == part]
            most = "never" if min(took) < 0 else f"{max(took):.1f}"
            out.append(f"| {part} | {len(took)} | {median(took):.1f} | {most} |")
    return [*out, ""]


def _row(each: Series, events: int, looks: Sequence[Look]) -> str:
    measure, found = each.measure, each.trend
    title = f"{measure.title}{f', {measure.unit}' if measure.unit else ''}"
    if found is None:
        return f"| {title} | {each.name} | | | | | | too few |"
    digits = 1 if measure.unit == "MB" or found.level < 10 else 0
    figures = [found.level, found.least, found.most]
    slope = f"{found.slope:+,.{digits}f}"
    spread = f"{found.low:+,.{digits}f} .. {found.high:+,.{digits}f}"
    shown = " | ".join(f"{figure:,.{digits}f}" for figure in figures)
    return f"| {title} | {each.name} | {shown} | {slope} | {spread} | {_verdict(each, events, looks)} |"


def _verdict(each: Series, events: int, looks: Sequence[Look]) -> str:
    assert each.trend is not None
    if each.trend.flat:
        return "flat"
    why = KEPT.get((each.measure.key, each.name))
    if why is None:
        return "**grows**"
    if each.measure.key != "disk":
        return f"grows: {why}"
    took = (each.points[-1][1] - each.points[0][1]) * each.measure.per
    return f"grows: {why}, {took / max(1, events):,.0f} bytes a record"


def _unexplained(each: Series) -> bool:
    return each.trend is not None and not each.trend.flat and (each.measure.key, each.name) not in KEPT


def _looks(lines: Sequence[Line]) -> dict[str, list[Look]]:
    found: dict[str, list[Look]] = {}
    for line in lines:
        if isinstance(line, Look):
            found.setdefault(line.phase, []).append(line)
    return found
