"""What the harness makes of its rounds, without an engine: the end of the last leg, what is kept in a file, the report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.harness import __main__ as harness
from ecom_lite.harness.expect import Violation
from ecom_lite.harness.kept import KeptPlan, keep, read_kept
from ecom_lite.harness.outcome import Outcome
from ecom_lite.harness.report import Summary, markdown
from ecom_lite.harness.session import Player
from ecom_lite.harness.targets import CHAIN


class Played(Player):
    """Rounds in which all goes well, until the run that they have in common is stopped."""

    def __init__(self, seed: int, only: Sequence[str] = ()) -> None:
        super().__init__(CHAIN, seed, only)
        self.rounds = 0

    def end_leg(self) -> list[Violation]:
        return [Violation("run", "a graceful stop, exit code 143", f"it still runs, after {self.rounds} rounds")]

    def _once(self, plan: Any, mutation: str | None) -> Outcome:
        self.rounds += 1
        return Outcome(plan, struck=True)

    def versions(self) -> list[str]:
        return []

    def close(self) -> None:
        pass


def test_the_last_leg_of_the_chain_is_stopped_as_those_before_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(harness, "ChainSession", Played)
    monkeypatch.setattr(harness, "fetch_jars", lambda *_: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert harness.main(["--chain", "--rounds", "3", "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["found"]
    assert found["round"] == 3 and found["violations"][0]["found"] == "it still runs, after 3 rounds"


def test_a_report_that_cannot_be_written_is_wrong_usage_before_the_first_round(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        harness.main(["--report", str(tmp_path / "none" / "faults.md")])


def test_what_is_kept_in_a_file_is_told_as_what_was_just_played(tmp_path: Path) -> None:
    outcome = Outcome(KeptPlan(4, "never-back", ["begun #2"], "contract"), True, ["slow"], [], 900, 1, 12.5, 10.25)
    keep(tmp_path / "rounds.jsonl", 7, outcome)
    assert read_kept(tmp_path / "rounds.jsonl", 7) == [outcome]
    old = json.loads((tmp_path / "rounds.jsonl").read_text("utf-8"))
    del old["inherited_s"]  # as a file of before has it
    (tmp_path / "old.jsonl").write_text(json.dumps(old) + "\n", "utf-8")
    assert read_kept(tmp_path / "old.jsonl", 7)[0].inherited_s is None


def test_a_round_whose_strike_did_not_happen_is_named_in_the_report() -> None:
    struck = Outcome(KeptPlan(1, "kill-begun", ["begun #1"], "contract"), True, records=10)
    missed = Outcome(KeptPlan(2, "cut-copy", ["inside COPY #9"], "contract"), False, records=10)
    page = markdown(Summary(1, "harness", [struck, missed]), ["Kafka 4.2"])
    assert "2 rounds, 0 differences, 1 that did not strike: SEE BELOW" in page
    assert "- round 2 (cut-copy): its strike did not happen" in page
    assert "1 rounds, every one struck, no difference" in markdown(Summary(1, "harness", [struck]), [])
