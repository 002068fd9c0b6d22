"""`ecom_lite demo` as it is shown: all its steps for real, told in terminal and page; its count, its end, nothing left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecom_lite.run.demo import STEPS
from tests.acceptance.demos import RunningDemo
from tests.runs import COMMAND, VERB_S

Began = Callable[..., RunningDemo]


@pytest.fixture
def began(tmp_path: Path) -> Iterator[Began]:
    made: list[RunningDemo] = []

    def begin(*options: str) -> RunningDemo:
        made.append(RunningDemo(tmp_path, *options))
        return made[-1]

    yield begin
    for each in made:
        each.close()


@pytest.mark.timeout(600)
def test_a_quick_one_shows_every_step_in_terminal_and_page_and_its_count_closes(began: Began, tmp_path: Path) -> None:
    demo = began("--light", "--pace", "quick", "--json")
    shown: dict[str, set[str]] = {"now": set(), "done": set()}

    def look() -> None:
        if (story := demo.story()).get("kind") == "demo":
            for chapter in story["chapters"]:
                shown.setdefault(chapter["state"], set()).add(chapter["title"])

    code, printed = demo.end(look)
    assert code == 0, demo.text
    titles = [title for title, *_ in STEPS]
    steps = [line.partition(": ")[2] for _, line in demo.said if line.startswith("Step ")]
    assert steps == titles and demo.text.count("Done after") == len(STEPS)
    # A short step may be over between two looks at the page; that it is done can be seen for as long as the demo goes on.
    assert "The past" in shown["now"] and "It comes back" in shown["done"], "the page shows the same one as it goes on"
    assert len(shown["now"]) > 1 and shown["now"] | shown["done"] <= set(titles)
    summary = json.loads(printed)
    assert summary["closes"] and summary["restarts"] == {"load": 1} and summary["dead"] > 0 and summary["duplicates"] > 0
    assert summary["facts"] == summary["marts"] == summary["lake"]
    assert f"{summary['other']:,} other events" in demo.text, "the last line leaves nothing out"
    assert list(tmp_path.iterdir()) == [], "its data goes with it"
    assert "\x1b" not in demo.text + printed


@pytest.mark.long
@pytest.mark.timeout(300)
def test_ctrl_c_ends_it_at_any_step_with_130_and_nothing_left(began: Began, tmp_path: Path) -> None:
    for words in ("ready after", "Step 3 of 8"):
        demo = began("--light", "--pace", "quick")
        demo.until(words)
        demo.process.send_signal(signal.SIGINT)
        code, _ = demo.end()
        assert code == 130 and "Traceback" not in demo.text, demo.text
        demo.close()
        assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_whole_one_with_spark_at_its_own_pace(began: Began, tmp_path: Path) -> None:
    demo = began("--keep")
    code, _ = demo.end()
    assert code == 0, demo.text
    folder = tmp_path / ".ecom_lite_demo"
    assert f"its data and logs are in {folder}" in demo.text
    checked = subprocess.run([*COMMAND, "check", "--data-dir", str(folder)], capture_output=True, text=True, timeout=200)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_it_would_delete_or_wait_for_in_vain_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("of the user")
    for options, words in (
        (("--data-dir", "mine"), "there is something already"),
        (("--pace", "enter"), "no terminal on which somebody could press Enter"),
        (("--pace", "slow"), "give one of auto, quick, enter"),
    ):
        said = subprocess.run(
            [*COMMAND, "demo", *options], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=VERB_S,
            env={**os.environ},
        )  # fmt: skip
        assert said.returncode == 2 and words in said.stderr, said.stderr
    assert (tmp_path / "mine" / "file").read_text() == "of the user"
