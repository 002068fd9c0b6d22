"""How an alert goes from one state to the next. Pure: the moment and the verdict come from outside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from .bounds import Verdict

State = Literal["ok", "pending", "firing", "unknown"]


@dataclass(frozen=True)
class Standing:
    """In `state` `since`. `told` has the number and its bounds, `problem` why it could not be judged the last time."""

    state: State
    since: datetime
    value: float | None = None
    told: str = ""
    problem: str = ""


def step(before: Standing | None, verdict: Verdict, now: datetime, for_s: float) -> Standing:
    """ok -> pending -> firing -> ok. What cannot be judged is unknown, never ok; and an alert that fires goes on firing until a
    number says that it is over."""
    if verdict.out is None:
        if before is not None and before.state == "firing":
            return replace(before, problem=verdict.told)
        return _moved(before, "unknown", now, verdict, verdict.told)
    if not verdict.out:
        return _moved(before, "ok", now, verdict)
    if before is not None and before.state == "firing":
        return _moved(before, "firing", now, verdict)
    since = min(before.since, now) if before is not None and before.state == "pending" else now
    due = now - since >= timedelta(seconds=for_s)
    return _moved(before, "firing" if due else "pending", now, verdict)


def _moved(before: Standing | None, state: State, now: datetime, verdict: Verdict, problem: str = "") -> Standing:
    since = min(before.since, now) if before is not None and before.state == state else now  # the clock may be put back
    return Standing(state, since, verdict.value, "" if problem else verdict.told, problem)
