"""The account of a round of the whole chain: warehouse, lake, minutes and marts against the topic's raw bytes and each other."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

import duckdb
import psycopg
from kafka.errors import KafkaError
from psycopg import sql

from ..errors import EcomLiteError
from ..lake.level import wait_level
from ..settings.data_dir import LAKE
from .chain_plan import LIGHT
from .chain_run import ChainRun
from .expect import Violation, wait_until
from .recount import SHOWN, Account, differences
from .topic import Topic

PATIENCE_S: Final = 120.0
SETTLE_S: Final = 30.0  # figures by minute follow the facts within some: a difference that stays so long is one
LOOK_S: Final = 0.25
RELATIONS: Final = """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('marts', 'intermediate') AND c.relkind IN ('r', 'v') AND c.relname NOT LIKE '%\\_\\_dbt\\_%' ORDER BY 1, 2"""
NOT_COMPARED: Final = (
    "int_profile_log",  # never built anew: it remembers what the warehouse has replaced since
    "int_place_days",  # keeps rows of nothing for places that a change of address has emptied: sales_by_place leaves them out
)
Rows = Mapping[str, Counter[str]]


def take(run: ChainRun, topic: Topic) -> list[Violation]:
    """With the shop paused, until all is settled. All that does not agree then."""
    _wait_loaded(run, topic)
    run.refresh(full=False)
    bit_by_bit = _models(run)
    found = _until_none(run, topic)
    run.refresh(full=True)
    return [*found, *islice(_compared(bit_by_bit, _models(run)), SHOWN)]


def _wait_loaded(run: ChainRun, topic: Topic) -> None:
    def loaded() -> bool:
        run.require_alive()
        try:
            positions: dict[int, int] = dict(run.ask("SELECT partition, next_offset FROM ops.consumer_offsets"))
            return positions == topic.ends()
        except (psycopg.Error, KafkaError, EcomLiteError):
            return False

    wait_until(loaded, "all of the topic is loaded", PATIENCE_S, run.log_tail, LOOK_S)


def _until_none(run: ChainRun, topic: Topic) -> list[Violation]:
    if not wait_level(run.reach.address, PATIENCE_S, threading.Event()):
        return [Violation("lake", "all facts are in it", f"not within {PATIENCE_S:g} s", run.log_tail())]
    earlier, since = "", time.monotonic()
    minutes = "minutes" if run.mode == LIGHT else "stream_minutes"
    while True:
        topic.read()
        reach = run.reach
        account = Account(
            reach.address, topic.name, topic.records, topic.ends(), {}, (), None, lake=run.folder / LAKE,
        )  # fmt: skip
        try:
            found = differences(account, (minutes, "days"))
        except (duckdb.Error, EcomLiteError) as error:
            found = [Violation("account", "it can be taken", str(error), run.log_tail())]
        if (said := str(found)) != earlier:
            earlier, since = said, time.monotonic()
        if not found or time.monotonic() > since + SETTLE_S:
            return found
        run.require_alive()
        time.sleep(LOOK_S)


def _models(run: ChainRun) -> Rows:
    """Each relation of dbt, with its rows as texts."""
    with run.reach.address.connect("ecom_dbt") as connection:
        names = [name for name in connection.execute(RELATIONS.encode()).fetchall() if name[1] not in NOT_COMPARED]
        query = sql.SQL("SELECT t::text FROM {} t")
        return {
            name: Counter(text for (text,) in connection.execute(query.format(sql.Identifier(schema, name))))
            for schema, name in names
        }


def _compared(bit_by_bit: Rows, at_once: Rows) -> Iterator[Violation]:
    """A model that was brought further bit by bit, run after run, against what a full refresh makes of it."""
    for model in sorted(bit_by_bit.keys() | at_once.keys()):
        before, after = bit_by_bit.get(model, Counter()), at_once.get(model, Counter())
        if missing := after - before:
            yield Violation(f"full refresh: {model}", f"rows such as {_some(missing)}", f"in their place {_some(before - after)}")
        elif surplus := before - after:
            yield Violation(f"full refresh: {model}", "no rows beside those of a full refresh", _some(surplus))


def _some(rows: Counter[str]) -> str:
    return "; ".join(sorted(rows)[:SHOWN]) or "nothing"
