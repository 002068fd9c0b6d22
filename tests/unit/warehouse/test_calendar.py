"""The zone of the marts' days, where PostgreSQL knows other names than Python."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.errors import InvalidParameterValue

from ecom_lite.errors import MigrationError
from ecom_lite.warehouse.calendar import set_time_zone


class Rows(list[tuple[Any, ...]]):
    def fetchone(self) -> tuple[Any, ...]:
        return self[0]


class Server:
    """It counts by UTC, has no marts, and knows no zone but Europe/Berlin."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def execute(self, statement: Any, values: Any = None) -> Rows:
        text = statement.decode() if isinstance(statement, bytes) else statement
        if "AT TIME ZONE" in text and values != ["Europe/Berlin"]:
            raise InvalidParameterValue(f'time zone "{values[0]}" not recognized')
        self.written += [text] if text.startswith("UPDATE") else []
        return Rows([("UTC", False)])


def test_a_zone_is_written_only_where_the_server_knows_it() -> None:
    server: Any = Server()
    with pytest.raises(MigrationError, match=r'shop\.time_zone = "localtime".*pg_timezone_names'):
        set_time_zone(server, "localtime")
    assert not server.written and not set_time_zone(server, "UTC")
    assert set_time_zone(server, "Europe/Berlin") and "UPDATE ops.calendar" in server.written[0]
