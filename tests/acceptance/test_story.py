"""The fault story, told by a real run as its page's button begins it: the loader dies, PostgreSQL dies, and the count closes."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runs import LightRun, wait_for

STORY_S = 150.0

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LightRun]:
    folder: Path = tmp_path_factory.mktemp("story") / "data"
    made = LightRun(folder, "--rate", "30", env={"ECOM_LITE_FAULTS__LATE_S": "4s"})
    try:
        yield made.wait_ready()
    finally:
        made.close()


def ask(run: LightRun, path: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {run.state['control_token']}", "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(run.state["addresses"]["dashboards"] + path, content, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize("part", ["load", "postgres"])
def test_the_story_closes_the_count_and_puts_all_back(run: LightRun, part: str) -> None:
    # The lake begins behind a run that is ready, and is not well before its first word: nothing is told then.
    wait_for(lambda: run.state["lake"] and all(each["ok"] for each in run.state["parts"].values()), "all is well")
    before = run.note_processes()[part]
    assert part in ask(run, "api/story")["parts"]
    assert ask(run, "api/story", {"part": part})["state"] == "telling"

    def over() -> bool:
        run.note_processes()
        return bool(ask(run, "api/story")["state"] != "telling")

    wait_for(over, lambda: f"the story ends: {ask(run, 'api/story')}", STORY_S)
    told = ask(run, "api/story")
    assert told["state"] == "closed", told
    assert run.note_processes()[part] != before, "another process"
    wait_for(lambda: not run.state["paused"] and run.state["faults"] == {} and run.state["rate"] == 30, "all is put back")
    state = run.state
    assert state["parts"][part]["restarts"] == 1 and state["dead"] > 0 and state["duplicates"] > 0
    assert any("killed on purpose" in line for line in ask(run, "api/logs/schedule?lines=200")["lines"])
    count = ask(run, "api/chain")["count"]
    assert count["sent"] > 0 and count["lost"] == 0


def test_after_it_the_check_of_all_agrees(run: LightRun) -> None:
    said = run.verb("check", "--json", deadline_s=120)
    assert said.returncode == 0 and json.loads(said.stdout)["closes"], said.stdout + said.stderr
