"""A file of rounds that were played, a line each: a hundred of them can be played in pieces, and told of as one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .expect import Violation
from .outcome import Outcome


@dataclass(frozen=True)
class KeptPlan:
    """What is told of a plan, long after."""

    number: int
    scenarios: str
    phases: Sequence[str]
    form: str


def keep(file: Path, seed: int, outcome: Outcome) -> None:
    """Add a round. Raises OSError."""
    plan = outcome.plan
    line = {
        "seed": seed, "round": plan.number, "scenarios": plan.scenarios, "at": [str(phase) for phase in plan.phases],
        "form": plan.form, "struck": outcome.struck, "records": outcome.records, "restarts": outcome.restarts,
        "seconds": round(outcome.seconds, 1), "inherited_s": outcome.inherited_s, "notes": outcome.notes,
        "violations": [[each.check, each.expected, each.found] for each in outcome.violations],
    }  # fmt: skip
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")


def read_kept(file: Path, seed: int) -> list[Outcome]:
    """The rounds of this seed by their numbers; of one that was played again, the newest. Raises OSError, ValueError."""
    lines = map(json.loads, file.read_text("utf-8").splitlines()) if file.exists() else []
    found = {line["round"]: _outcome(line) for line in lines if line["seed"] == seed}
    return [found[number] for number in sorted(found)]


def _outcome(read: dict[str, Any]) -> Outcome:
    return Outcome(
        KeptPlan(read["round"], read["scenarios"], read["at"], read["form"]), read["struck"], read["notes"],
        [Violation(*each) for each in read["violations"]], read["records"], read["restarts"], read["seconds"],
        read.get("inherited_s"),
    )  # fmt: skip
