"""What a soak makes of its looks: what grows, what is flat, and the table and the drawing of it."""

from __future__ import annotations

import random
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ecom_lite.harness.soak.__main__ import main
from ecom_lite.harness.soak.look import Began, Ended, Kill, Line, Look, keep, read_lines
from ecom_lite.harness.soak.picture import picture
from ecom_lite.harness.soak.told import grows, told
from ecom_lite.harness.soak.trend import trend

HOUR = 3600.0
CLOSES = Ended("load", HOUR, True, "20 of 20 checks pass", 1)
SVG = "{http://www.w3.org/2000/svg}"


def looks(phase: str = "load", leak: int = 0, count: int = 360) -> list[Look]:
    """An hour of it; `leak` bytes more with each look."""
    draw = random.Random(4)
    return [
        Look(
            phase, 10.0 * number, {"run": 600_000_000 + draw.randrange(3_000_000) + leak * number, "kafka": 400_000_000},
            {"run": 90 + draw.randrange(3)}, {"run": 40}, {"postgres": 50_000_000 + 300_000 * number, "logs": 2_000_000},
            120.0 + draw.random(), 10_000 * number,
        )
        for number in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_no_growth_and_a_slope_within_it_is_found(seed: int) -> None:
    draw = random.Random(seed)
    noise = [(10.0 * number, 100 + draw.gauss(0, 5)) for number in range(360)]
    sloped = [(at, value + 12 * at / HOUR) for at, value in noise]
    flat, grown = trend(noise), trend(sloped)
    assert flat is not None and flat.flat
    assert grown is not None and not grown.flat and grown.low <= 12 <= grown.high + 3


def test_jumps_up_and_down_are_no_growth_and_neither_is_a_warm_up() -> None:
    jumps = trend([(10.0 * number, 400 if number % 60 > 6 else 100) for number in range(720)])
    warm = trend([(10.0 * number, min(100.0, 3 * number)) for number in range(360)])
    assert jumps is not None and jumps.flat
    assert warm is not None and warm.flat and warm.least == 100


def test_too_few_looks_have_no_trend() -> None:
    assert trend([]) is None
    assert trend([(0.0, 1.0)]) is None
    assert trend([(0.0, 1.0), (10.0, 2.0), (20.0, 3.0)]) is None


def test_what_leaks_is_named_and_what_is_kept_by_design_is_not() -> None:
    assert grows([*looks(), CLOSES]) == []
    assert grows([*looks(leak=100_000), CLOSES]) == ["load: memory of run"]
    table = told(looks(leak=100_000))
    assert "| Memory (PSS), MB | run |" in table and "**grows**" in table
    assert "grows: facts and marts are kept, 30 bytes a record" in table and "grows: see its parts |" in table


def test_a_count_that_does_not_close_and_a_part_that_stays_away_are_named() -> None:
    lines: list[Line] = [
        *looks(),
        Kill("load", 60, "kafka", 4.0),
        Kill("load", 120, "spark", -1),
        Ended("load", 3600, False, "count: fail", 1),
    ]
    assert grows(lines) == ["load: count: fail", "load: spark was not well again"]
    table = told(lines)
    assert "DOES NOT CLOSE" in table and "| spark | 1 | -1.0 | never |" in table and "| kafka | 1 | 4.0 | 4.0 |" in table


def test_what_was_not_looked_at_or_not_counted_is_not_as_it_should_be() -> None:
    assert grows([]) == ["nothing was looked at"]
    assert grows(looks()) == ["load: it was cut off, and its count was not taken"]
    assert grows([*looks(count=5), CLOSES]) == ["load: too few looks to say whether anything grows"]
    assert "1 looks, 0 records loaded (0 a second)" in told(looks(count=1))


def test_a_part_that_was_away_at_a_look_has_gaps_not_zeroes() -> None:
    seen = looks(count=100)
    seen[50] = Look("load", 500.0, {"run": 600_000_000, "kafka": 0}, {"run": 90}, {"run": 40}, {"logs": 1}, -1.0, -1)
    row = next(row for row in told(seen).splitlines() if "| kafka |" in row)
    assert "| 400.0 | 400.0 | 400.0 |" in row


def test_the_drawing_is_svg_with_each_measure_of_each_phase() -> None:
    lines: list[Line] = [*looks("day"), *looks("load"), Kill("load", 600, "kafka", 4.0)]
    drawn = ElementTree.fromstring(picture(lines))
    titles = [each.text or "" for each in drawn.iter(f"{SVG}text")]
    for title in ("Memory (PSS) (MB)", "Open handles", "Threads", "Disk (MB)", "Delay, p95 of 5 s (ms)"):
        assert titles.count(title) == 2
    assert len(list(drawn.iter(f"{SVG}polyline"))) == 2 * 7
    for line in drawn.iter(f"{SVG}polyline"):
        for place in line.attrib["points"].split():
            x, y = map(float, place.split(","))
            assert 0 <= x <= float(drawn.attrib["width"]) and 0 <= y <= float(drawn.attrib["height"])


def test_a_soak_that_was_cut_off_can_be_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, report = tmp_path / "soak.jsonl", tmp_path / "soak.md"
    lines: list[Line] = [Began("soak --keep it", "2 cores", "Python 3.11", "2026-11-28T12:00+00:00"), *looks()]
    for line in lines:
        keep(file, line)
    assert list(read_lines(file)) == lines
    assert main(["--keep", str(file), "--only-tell", "--report", str(report)]) == 1
    assert "![Memory" in report.read_text() and "(soak.svg)" in report.read_text()
    ElementTree.parse(report.with_suffix(".svg"))
    assert "it was cut off" in capsys.readouterr().err
    keep(file, CLOSES)
    assert main(["--keep", str(file), "--only-tell"]) == 0
    assert "flat, or kept by design; each count closes" in capsys.readouterr().err
    assert main(["--keep", str(file)]) == 1  # it is not written over
    assert "has a soak in it" in capsys.readouterr().err
    assert main(["--keep", str(tmp_path / "none"), "--only-tell"]) == 2
    with pytest.raises(SystemExit, match="2"):  # at once, not behind the soak
        main(["--keep", str(tmp_path / "new"), "--report", str(tmp_path / "none" / "soak.md")])
