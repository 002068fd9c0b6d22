"""What is made on a server that others use, where another machine makes it in the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg import errors, sql

from ecom_lite.warehouse.connect import ROLES, Address
from ecom_lite.warehouse.passwords import Passwords
from ecom_lite.warehouse.roles import ensure_database_and_roles


class Rows(list[tuple[Any, ...]]):
    def fetchone(self) -> tuple[Any, ...] | None:
        return self[0] if self else None


class Server:
    """A server that has the roles, and the database a moment after it was asked for it."""

    info = SimpleNamespace(server_version=180_000)

    def __init__(self, refusal: type[Exception]) -> None:
        self._refusal = refusal
        self.done: list[str] = []

    def connect(self, role: str, *, autocommit: bool = False) -> Server:
        return self

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def execute(self, statement: Any, values: object = None) -> Rows:
        text = statement.as_string(None) if isinstance(statement, sql.Composable) else statement
        text = text.decode() if isinstance(text, bytes) else text
        if text.startswith("CREATE DATABASE"):
            raise self._refusal("it is there already")
        self.done.append(text)
        answers: dict[str, list[tuple[Any, ...]]] = {
            "SELECT rolname": [(role,) for role in ROLES], "SELECT rolsuper": [(True,)],
        }  # fmt: skip
        if "array_remove" in text:
            return Rows([([], False)])
        if "has_schema_privilege" in text:
            return Rows([(True, True)])
        return Rows(next((rows for begins, rows in answers.items() if text.startswith(begins)), []))


@pytest.mark.parametrize("refusal", [errors.DuplicateDatabase, errors.UniqueViolation])
def test_a_database_that_another_machine_has_just_made_is_no_error(
    refusal: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, address = Server(refusal), Address.from_url("postgresql://me@db/shop", {})
    monkeypatch.setattr(Address, "connect", lambda _, role, autocommit=False: server.connect(role, autocommit=autocommit))
    ensure_database_and_roles(address, Passwords(tmp_path / "roles.json"))
    grants = [text for text in server.done if text.startswith("GRANT CONNECT ON DATABASE")]
    locked = [n for n, text in enumerate(server.done) if "pg_advisory_xact_lock" in text]
    assert len(locked) == 2 and locked[1] < server.done.index(grants[0]), "one grants after the other"
