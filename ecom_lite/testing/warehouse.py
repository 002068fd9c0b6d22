"""What a test holds in its hands: send, wait, ask, and assert with messages that say what is there instead."""

from __future__ import annotations

import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, LiteralString, cast

from ..errors import UsageError
from ..warehouse.sqlfiles import read_sql
from . import facts as of_facts
from .dead import DeadLetter
from .dead import listed as letters_listed

if TYPE_CHECKING:
    from ..check.verdict import Report
    from ..transform import DbtRun

WAIT_S: Final = 30.0
SEND_S: Final = 30.0


class LightWarehouse(ABC):
    """A warehouse that loads whatever is sent to `topic` at `bootstrap`. No simulated shop, no Spark, no page.

    `conninfo` is a libpq connection string of the role that may read everything.
    """

    bootstrap: str
    topic: str
    conninfo: str
    wait_s: float = WAIT_S

    @abstractmethod
    def wait_loaded(self, timeout_s: float | None = None) -> None:
        """Block until every record that is on the topic now has become a fact, a duplicate, another event or a dead letter.

        Raises TimeoutError that says how far the loader came. `timeout_s` None: `ecom_lite_timeout`, 30 s.
        """

    @abstractmethod
    def refresh(self) -> DbtRun:
        """Build the marts from the facts now. Raises TransformError."""

    @abstractmethod
    def check(self) -> Report:
        """The count; `.closes` says whether it does. Call `refresh` before: the marts are part of it."""

    def _client(self) -> Mapping[str, Any]:
        """kafka-python's settings for this broker."""
        return {"bootstrap_servers": self.bootstrap}

    @abstractmethod
    def _check_count(self) -> Report:
        """The count as far as it needs no marts."""

    def query(self, statement: LiteralString, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one SQL statement in PostgreSQL's dialect, read-only. Raises psycopg.Error."""
        import psycopg

        with psycopg.connect(self.conninfo) as reader:
            return reader.execute(statement, list(parameters) or None).fetchall()  # without any a % is a %

    def send(self, events: Iterable[Mapping[str, object] | bytes]) -> int:
        """Send events as JSON, keyed by user_id (bytes go as they are), and return how many once the broker has acknowledged
        them all."""
        with warnings.catch_warnings():  # of its own, where a project makes errors of them
            warnings.simplefilter("ignore")
            from kafka import KafkaProducer

        producer = KafkaProducer(**self._client())
        try:
            sent = [producer.send(self.topic, **_record(event)) for event in events]
            producer.flush()
            for future in sent:
                future.get(timeout=SEND_S)
        finally:
            producer.close()
        return len(sent)

    def facts(self, **columns: object) -> list[dict[str, Any]]:
        """The order lines that are loaded, as the view warehouse.order_lines has them, in the order of the topic; only those with
        these values, if any are given."""
        import psycopg
        from psycopg.rows import dict_row

        with psycopg.connect(self.conninfo, row_factory=dict_row) as reader:
            cursor = reader.execute("SELECT * FROM warehouse.order_lines ORDER BY source_partition, source_offset")
            names = [column.name for column in cursor.description or ()]
            return cast(list[dict[str, Any]], of_facts.matching(cursor.fetchall(), columns, names))

    def dead_letters(self, reason: str | None = None) -> list[DeadLetter]:
        """The records of the topic that were refused, the oldest first; only those of this reason, if one is given. Raises
        UsageError where there is no such reason."""
        import psycopg

        from ..contract.rejected import REASONS

        if reason is not None and reason not in REASONS:
            raise UsageError(f"no dead letter has the reason {reason!r}: there is {', '.join(REASONS)}")
        with psycopg.connect(self.conninfo) as reader:
            rows = reader.execute(read_sql(__package__, "dead"), [self.topic]).fetchall()
        return [letter for letter in (DeadLetter.of(row) for row in rows) if reason in (None, letter.reason)]

    def counts(self) -> dict[str, int]:
        """What has become of the topic's records: facts, duplicates, other_events, dead_letters."""
        import psycopg
        from psycopg.rows import dict_row

        with psycopg.connect(self.conninfo, row_factory=dict_row) as reader:
            return reader.execute(read_sql(__package__, "counts"), [self.topic]).fetchone() or {}

    def assert_facts(self, expected: int | Iterable[Mapping[str, Any]], **columns: object) -> list[dict[str, Any]]:
        """Wait until all is loaded; then there are exactly `expected` facts (with these values, if any are given), or exactly the
        order lines among these events, each with the customer, price, quantity, revenue and currency that were sent. Returns the
        facts. Raises AssertionError that says which are missing, too many or different."""
        __tracebackhide__ = True
        self.wait_loaded()
        found = self.facts(**columns)
        if isinstance(expected, int):
            if len(found) != expected:
                where = "".join(f", {name} {value!r}" for name, value in columns.items()).replace(",", " with", 1)
                there = of_facts.listed(found or self.facts())
                raise AssertionError(
                    f"expected {of_facts.counted(expected, 'fact')}{where}, found {len(found):,}; {self._told()}{there}"
                )
        elif wrong := of_facts.differences(found, expected):
            raise AssertionError(f"the facts are not the order lines expected; {self._told()}{of_facts.shown(wrong)}")
        return found

    def assert_dead(self, expected: int | None = None, *, reason: str | None = None) -> list[DeadLetter]:
        """Wait until all is loaded; then there are exactly `expected` dead letters (of this reason, if one is given), or at least
        one where no number is given. Returns them. Raises AssertionError that lists those there are."""
        __tracebackhide__ = True
        self.wait_loaded()
        found = self.dead_letters(reason)
        if len(found) == expected or (expected is None and found):
            return found
        wanted = "a dead letter" if expected is None else of_facts.counted(expected, "dead letter")
        of_reason = "" if reason is None else f" of reason {reason}"
        raise AssertionError(
            f"expected {wanted}{of_reason}, found {len(found):,}; {self._told()}{letters_listed(self.dead_letters())}"
        )

    def assert_closes(self, *, marts: bool = False) -> Report:
        """Wait until all is loaded; then every record of the topic is accounted for, once, and all that is kept of the facts
        agrees with them; with `marts` these are built first (some seconds) and hold exactly the facts. Returns the report."""
        __tracebackhide__ = True
        self.wait_loaded()
        if marts:
            run = self.refresh()
            if run.status != "success":
                raise AssertionError(f"the marts were not built as they should be: {run.status}: {run.message}")
        report = self.check() if marts else self._check_count()
        if not report.closes:
            failing = [f"{result.check.name}: {result.told}" for result in report.results if result.fails]
            raise AssertionError(f"the count does not close; {self._told()}{of_facts.shown(failing)}")
        return report

    def _told(self) -> str:
        """What has become of the records, in a line."""
        counts = ", ".join(
            of_facts.counted(count, name.removesuffix("s").replace("_", " ")) for name, count in self.counts().items()
        )
        return f"of topic {self.topic} became {counts}:"


def _record(event: Mapping[str, object] | bytes) -> dict[str, bytes]:
    if isinstance(event, bytes):
        return {"value": event}
    of_facts.require_event(event)
    return {"key": str(event.get("user_id", "")).encode(), "value": json.dumps(event, default=str).encode()}
