"""A short soak of the whole program: it looks, kills, counts and tells, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.harness.soak.__main__ import main
from ecom_lite.harness.soak.look import Ended, Kill, Look, read_lines

STARTED = {"run", "kafka", "postgres", "spark", "produce", "load", "lake"}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_short_soak_sees_every_part_kills_one_and_its_counts_close(tmp_path: Path) -> None:
    kept, report = tmp_path / "soak.jsonl", tmp_path / "soak.md"
    main(["--day", "0.3", "--hours", "0.025", "--keep", str(kept), "--report", str(report)])  # so short, warming up is growth
    lines = list(read_lines(kept))
    looks = [line for line in lines if isinstance(line, Look)]
    assert {look.phase for look in looks} == {"day", "load"}
    assert {*looks[0].memory, "lake"} >= STARTED, "the lake begins when all others are well"
    assert set(looks[-1].memory) >= STARTED
    assert all(look.disk["postgres"] > 1_000_000 for look in looks)
    assert [line.back_s > 0 for line in lines if isinstance(line, Kill)] == [True]
    assert [(line.phase, line.closes, line.starts) for line in lines if isinstance(line, Ended)] == [
        ("day", True, 1),
        ("load", True, 1),
    ]
    assert "The count closes" in report.read_text() and report.with_suffix(".svg").stat().st_size > 10_000
