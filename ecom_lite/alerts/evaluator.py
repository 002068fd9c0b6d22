"""One round of evaluation: each rule that is due is asked, judged, and stepped on from how it stood, in one transaction."""

from __future__ import annotations

import logging
import shutil
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg

from ..observe.figures import AlertFigures
from ..warehouse.connect import Address
from .bounds import Verdict
from .question import Given, QuestionFailed, ask
from .rules import Rule
from .states import Standing, step
from .store import ROLE, Change, forget, locked_standings, prune, write_change, write_evaluator, write_standings

READER: Final = "ecom_reader"
NEWS: Final = 100  # changes that wait for somebody to tell them on the terminal
MINUTES_FROM_S: Final = 100.0  # what is left is told in minutes
EARLY_S: Final = 0.5  # a rule is due a little early, so that a clock that ticks at its pace never skips a turn
log = logging.getLogger("ecom_lite.alerts")


@dataclass(frozen=True)
class Limits:
    """`every_s`: for rules that do not say it; `timeout_s`: of one question. `zone` is that of the shop's clock."""

    every_s: float = 10.0
    timeout_s: float = 2.0
    zone: str = "UTC"
    given: Given = field(default_factory=Given)


class Evaluator:
    """Evaluates `rules` when `round` is called, from one thread; `figures` and `news` are for any thread.

    `outlets` are the names of those who have to be told of alerts that fire and are over. `up_since`: when the run began.
    """

    def __init__(
        self, address: Address, rules: Sequence[Rule], limits: Limits, data_dir: Path, up_since: datetime,
        outlets: Sequence[str] = (), wake: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._address = address
        self._rules = list(rules)
        self._limits = limits
        self._data_dir = data_dir
        self._up_since = up_since
        self._outlets = list(outlets)
        self._wake = wake
        self._asked: dict[str, datetime] = {}  # each rule the last time
        self._failed: dict[str, str] = {}  # what was logged of questions that fail
        self._news: deque[Change] = deque(maxlen=NEWS)
        self._forgotten = False
        self.figures: Mapping[str, AlertFigures] = {}  # by rule; replaced whole

    def news(self) -> list[Change]:
        """Alerts that fire or are over, since it was last asked. Each is told once."""
        found = []
        while self._news:
            found.append(self._news.popleft())
        return found

    def round(self, now: datetime) -> None:
        """Raises psycopg.Error where the database is away: nothing has changed then."""
        due = [rule for rule in self._rules if self._is_due(rule, now)]
        if not due:
            return
        self._up_since = min(self._up_since, now)  # else what waits after the start would wait as long as a clock was put back
        with self._address.connect(ROLE) as writer:
            self._note_machine(writer, now)
            verdicts = self._ask_all(due, now)
            changes = self._write(writer, [(rule, verdicts[rule.name]) for rule in due], now)
        self._asked |= dict.fromkeys((rule.name for rule in due), now)
        published = [change for change in changes if change.published]
        self._news.extend(published)
        for change in published:
            log.log(logging.WARNING if change.after == "firing" else logging.INFO, "alert %s %s: %s", change.rule.name,
                    "fires" if change.after == "firing" else "is over", change.told)  # fmt: skip
        if published:
            self._wake()

    def _is_due(self, rule: Rule, now: datetime) -> bool:
        """Also where the clock was put back since: else nobody would look until it is again what it was."""
        every_s = self._limits.every_s if rule.every_s is None else rule.every_s
        asked = self._asked.get(rule.name)
        return asked is None or not timedelta(0) <= now - asked < timedelta(seconds=max(0.0, every_s - EARLY_S))

    def _note_machine(self, writer: psycopg.Connection, now: datetime) -> None:
        disk = shutil.disk_usage(self._data_dir)
        with writer.transaction():
            write_evaluator(writer, {"up_since": self._up_since, "now": now, "free": disk.free, "total": disk.total})

    def _ask_all(self, rules: Sequence[Rule], now: datetime) -> dict[str, Verdict]:
        with self._address.connect(READER, autocommit=True) as reader:
            timeout_ms = max(1, round(self._limits.timeout_s * 1000))
            reader.execute(f"SET statement_timeout = {timeout_ms}; SET lock_timeout = {timeout_ms}".encode())
            return {rule.name: self._judge(reader, rule, now) for rule in rules}

    def _judge(self, reader: psycopg.Connection, rule: Rule, now: datetime) -> Verdict:
        up_s = (now - self._up_since).total_seconds()
        if up_s < rule.after_start_s:
            left_s = rule.after_start_s - up_s
            left = f"{left_s:.0f} s" if left_s < MINUTES_FROM_S else f"{left_s / 60:.0f} min"
            return Verdict(None, None, f"judged once the run is up for {rule.after_start_s / 60:g} min: {left} to go")
        try:
            verdict = rule.bounds.judge(
                lambda at: ask(reader, rule.question, at, rule.window_s, self._limits.given, steps=rule.steps),
                now, self._limits.zone, rule.unit,
            )  # fmt: skip
        except QuestionFailed as error:
            if self._failed.get(rule.name) != str(error):
                log.warning("alert %s cannot be judged: %s: %s", rule.name, rule.file, error)
            self._failed[rule.name] = str(error)
            return Verdict(None, None, str(error))
        self._failed.pop(rule.name, None)
        return verdict

    def _write(self, writer: psycopg.Connection, judged: Sequence[tuple[Rule, Verdict]], now: datetime) -> list[Change]:
        changes = []
        with writer.transaction():
            before = locked_standings(writer)
            if not self._forgotten:
                forget(writer, [rule.name for rule in self._rules], now, self._outlets)
            found = [(rule, step(before.get(rule.name), verdict, now, rule.for_s)) for rule, verdict in judged]
            write_standings(writer, now, found)
            for rule, standing in found:
                was = before.get(rule.name)
                if was is None or was.state != standing.state:
                    changes.append(_change(rule, was, standing, now))
                    write_change(writer, changes[-1], self._outlets)
            if changes and (dropped := prune(writer)):
                log.error("%d changes of alerts were never told: the outbox was full", dropped)
        self._forgotten = True
        fresh = {rule.name: _figures(rule, standing, now) for rule, standing in found}
        self.figures = {
            rule.name: known for rule in self._rules if (known := fresh.get(rule.name) or self.figures.get(rule.name))
        }
        return changes


def _change(rule: Rule, before: Standing | None, after: Standing, now: datetime) -> Change:
    since = now if before is None else before.since
    return Change(rule, now, before.state if before else None, after.state, since, after.value, after.problem or after.told)


def _figures(rule: Rule, standing: Standing, now: datetime) -> AlertFigures:
    return AlertFigures(
        title=rule.title, severity=rule.severity, state=standing.state, since=standing.since.isoformat(), at=now.isoformat(),
        value=standing.value, unit=rule.unit, told=standing.told, problem=standing.problem, what_to_do=rule.what_to_do,
        board=rule.board,
    )  # fmt: skip
