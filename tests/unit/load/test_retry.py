"""What a database error means for the loader, and how long it waits."""

from __future__ import annotations

from itertools import islice

import psycopg
import pytest
from psycopg import errors

from ecom_lite.errors import LoadError
from ecom_lite.load.retry import Patience, Stopped, Verdict, verdict
from ecom_lite.warehouse.backoff import MAX_DELAY_S, delays


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (psycopg.OperationalError("server closed the connection"), Verdict.RETRY),
        (psycopg.InterfaceError("the connection is closed"), Verdict.RETRY),
        (errors.AdminShutdown(), Verdict.RETRY),
        (errors.CannotConnectNow(), Verdict.RETRY),
        (errors.ConnectionFailure(), Verdict.RETRY),
        (errors.DiskFull(), Verdict.RETRY),
        (errors.TooManyConnections(), Verdict.RETRY),
        (errors.DeadlockDetected(), Verdict.RETRY),
        (errors.SerializationFailure(), Verdict.RETRY),
        (errors.LockNotAvailable(), Verdict.RETRY),
        (errors.ReadOnlySqlTransaction(), Verdict.RETRY),
        (errors.IdleInTransactionSessionTimeout(), Verdict.RETRY),
        (errors.TransactionTimeout(), Verdict.RETRY),
        (psycopg.OperationalError("FATAL:  the database system is starting up"), Verdict.RETRY),
        (psycopg.OperationalError('FATAL:  password authentication failed for user "ecom_loader"'), Verdict.STOP),
        (psycopg.OperationalError('FATAL:  role "ecom_loader" does not exist'), Verdict.STOP),
        (psycopg.OperationalError('FATAL:  no pg_hba.conf entry for host "10.0.0.7"'), Verdict.STOP),
        (psycopg.OperationalError('FATAL:  database "ecom_lite" does not exist'), Verdict.STOP),
        (errors.InvalidCatalogName(), Verdict.STOP),
        (errors.CheckViolation(), Verdict.BISECT),
        (errors.UniqueViolation(), Verdict.BISECT),
        (errors.NumericValueOutOfRange(), Verdict.BISECT),
        (errors.UntranslatableCharacter(), Verdict.BISECT),
        (errors.ProgramLimitExceeded(), Verdict.BISECT),
        (errors.UndefinedTable(), Verdict.STOP),
        (errors.InsufficientPrivilege(), Verdict.STOP),
        (errors.InternalError_(), Verdict.STOP),
        (errors.QueryCanceled(), Verdict.STOP),
        (psycopg.ProgrammingError("no sqlstate"), Verdict.STOP),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_is_retried_bisected_or_final_by_its_sqlstate(error: psycopg.Error, expected: Verdict) -> None:
    assert verdict(error) is expected


def test_waits_double_up_to_a_limit_and_never_end() -> None:
    waits = list(islice(delays(), 50))
    assert waits[0] <= 0.1 and max(waits) <= MAX_DELAY_S and min(waits[10:]) >= MAX_DELAY_S / 2


def failing(*problems: Exception) -> tuple[list[Exception], list[str]]:
    return list(problems), []


def test_work_is_repeated_on_a_new_connection_until_the_database_takes_it() -> None:
    problems, log = failing(psycopg.OperationalError("away\nfor now"), errors.AdminShutdown("going"))
    patience = Patience(lambda seconds: log.append(f"pause while {patience.waiting_for}"))

    def work() -> str:
        if problems:
            raise problems.pop(0)
        return "done"

    assert patience.run(work, lambda: log.append("reconnect")) == "done"
    assert log == ["reconnect", "pause while away", "reconnect", "pause while going"]
    assert patience.waiting_for == ""


def test_what_no_retry_mends_is_one_line_with_its_sqlstate_and_what_to_do() -> None:
    def work() -> None:
        raise errors.UndefinedTable('relation "x" does not exist\nLINE 1: ...')

    with pytest.raises(
        LoadError, match=r'^PostgreSQL .* relation "x" does not exist LINE 1: .* \(SQLSTATE 42P01\).*ecom_lite migrate`$'
    ):
        Patience(lambda seconds: None).run(work, lambda: None)


def test_what_a_record_may_have_caused_and_the_end_of_waiting_come_through() -> None:
    def refuse() -> None:
        raise errors.CheckViolation("no")

    def away() -> None:
        raise psycopg.OperationalError("away")

    def give_up(seconds: float) -> None:
        raise Stopped

    with pytest.raises(errors.CheckViolation):
        Patience(give_up).run(refuse, lambda: None)
    with pytest.raises(Stopped):
        Patience(give_up).run(away, lambda: None)
