"""Sending letters again, in a dry run: what it costs does not follow how many they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from ecom_lite.contract.reader import Reader, make_reader
from ecom_lite.dead_letters import resend
from ecom_lite.settings.events import Events
from ecom_lite.warehouse.sqlfiles import read_sql

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LINE = b'{"id":"o","user_id":1,"product_id":1,"price":1,"quantity":1,"timestamp":"2026-01-01"}'
MAPPED = Events(fields={"order_id": ("id",)})


class Rows(list[tuple[Any, ...]]):
    def fetchone(self) -> tuple[Any, ...]:
        return self[0]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self


class Letters:
    """A table of letters of one partition, as far as a dry run looks at it."""

    def __init__(self, values: list[bytes]) -> None:
        self._rows: list[tuple[Any, ...]] = [(0, offset, None, value, []) for offset, value in enumerate(values)]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def execute(self, statement: bytes, values: Mapping[str, Any] | None = None) -> Rows:
        if statement == read_sql("ecom_lite.dead_letters", "marked"):
            return Rows([(len(self._rows), 0, 0, NOW)])
        if values is None:
            return Rows()
        left = [row for row in self._rows if row[1] > values["after_offset"]]
        return Rows(left[: values["limit"]])


def test_a_mapping_is_made_a_reader_once_for_all_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Events] = []

    def counted(events: Events, currency: str) -> Reader:
        made.append(events)
        return make_reader(events, currency)

    monkeypatch.setattr(resend, "make_reader", counted)
    letters: Any = Letters([LINE, b"{", LINE] * 60)
    found = resend.resend(letters, None, resend.Wish("events", dry_run=True, events=MAPPED), lambda: NOW)
    assert (found.letters, found.would_be_sent, dict(found.refused)) == (180, 120, {"not_json": 60})
    assert made == [MAPPED], "four milliseconds each: seven minutes for a hundred thousand letters"
