"""What a test asks the warehouse, without one: a database is played here."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from ecom_lite.errors import UsageError
from ecom_lite.testing import LightWarehouse


class Played(LightWarehouse):
    """Nothing is loaded, and nothing there."""

    bootstrap, topic, conninfo = "127.0.0.1:1", "events_1", "dbname=test_1"

    def wait_loaded(self, timeout_s: float | None = None) -> None:
        pass

    def counts(self) -> dict[str, int]:
        return {"facts": 0, "duplicates": 0, "other_events": 0, "dead_letters": 0}

    def refresh(self) -> Any: ...
    def check(self) -> Any: ...
    def _check_count(self) -> Any: ...
    def _client(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.bootstrap, "bootstrap_timeout_ms": 50}


class Database:
    """Of psycopg what is used: remembers what it was asked."""

    def __init__(self) -> None:
        self.parameters: list[Any] = []
        self.description = [SimpleNamespace(name=name) for name in ("order_id", "product_id", "quantity")]

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, statement: str, parameters: Any = None) -> Database:
        self.parameters.append(parameters)
        return self

    def fetchall(self) -> list[Any]:
        return []


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    database = Database()
    monkeypatch.setattr(psycopg, "connect", lambda conninfo, **options: database)
    return database


def test_a_question_without_parameters_may_have_a_percent_sign(database: Database) -> None:
    Played().query("SELECT count(*) FROM warehouse.dim_product WHERE product_title LIKE 'Moka%'")
    Played().query("SELECT 1 WHERE %s = 1", (1,))
    assert database.parameters == [None, [1]]  # psycopg looks for placeholders where there are parameters, if only none


@pytest.mark.usefixtures("database")
def test_no_facts_with_a_column_that_does_not_exist_is_not_what_was_asserted() -> None:
    assert Played().assert_facts(0, quantity=2) == []
    with pytest.raises(UsageError, match="facts have no column chanel: there are order_id, product_id, quantity"):
        Played().assert_facts(0, chanel="web")


def test_events_can_be_sent_where_warnings_are_errors() -> None:
    """kafka-python's import warns of what it does itself: in a process of its own, since here it was imported."""
    code = (
        "import sys\nfrom tests.unit.testing.test_warehouse import Played\nassert 'kafka' not in sys.modules\n"
        "try:\n    Played().send([])\nexcept Exception as error:\n    print(type(error).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "KafkaTimeoutError\n", done.stdout + done.stderr
