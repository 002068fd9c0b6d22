"""From which topic, and from where in it, Spark counts minutes: the topic itself, or what the loader has judged of it."""

from __future__ import annotations

import json
import logging
from typing import Final, NamedTuple

from psycopg import IsolationLevel

from ..settings.tree import Settings
from ..topic.client import Config, offset_range
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .sinks import ROLE

EARLIEST: Final = -2  # in Spark's offsets
log = logging.getLogger("ecom_lite.stream")


class MinutesSource(NamedTuple):
    """`generation` names the checkpoint; a query without one begins at `starting`, a word or a JSON object of offsets."""

    topic: str
    generation: int
    starting: str


def settle_source(settings: Settings, address: Address, client: Config) -> None:
    """Before any loader starts: where Spark is to read another topic than before, let it begin there, on top of the facts.

    What is loaded by now is counted from the facts, in one transaction with where Spark begins. A run without Spark notes that
    what Spark has counted is not all any more. Raises psycopg.Error, EcomLiteError.
    """
    wanted = _wanted(settings)
    with address.connect(ROLE) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ  # the facts and the loaders' offsets of one moment
        found = connection.execute(read_sql(__package__, "minutes_source")).fetchone()
        if settings.run.light:
            connection.execute(read_sql(__package__, "forget_source"))
        elif wanted != (settings.kafka.topic if found is None else found[0]):
            _, ends = offset_range(client, wanted)
            offsets = ends if settings.spark_reads_judged else dict.fromkeys(ends, EARLIEST)
            connection.execute(read_sql(__package__, "begin_clear"))
            minutes = connection.execute(read_sql(__package__, "begin_fill")).rowcount
            connection.execute(read_sql(__package__, "begin_source"), {"topic": wanted, "offsets": json.dumps(offsets)})
            log.info("Spark counts minutes from topic %s now; %d figures until here are the facts'", wanted, minutes)


def read_source(settings: Settings, address: Address) -> MinutesSource:
    """What `settle_source` has settled. Raises psycopg.Error."""
    with address.connect(ROLE) as connection:
        found = connection.execute(read_sql(__package__, "minutes_source")).fetchone()
    if found is None:  # it has always been the topic
        return MinutesSource(_wanted(settings), 0, "earliest")
    topic, generation, offsets = found
    return MinutesSource(topic, generation, json.dumps({topic: offsets}))


def _wanted(settings: Settings) -> str:
    return settings.kafka.judged_topic if settings.spark_reads_judged else settings.kafka.topic
