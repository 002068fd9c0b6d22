"""One test's own part of the shared engines: a topic, a database that is a copy of the template, and a loader between them."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psycopg
from kafka import KafkaAdminClient
from kafka.errors import KafkaError, UnknownTopicOrPartitionError
from psycopg import sql

from ..errors import EcomLiteError, LoadError
from ..load.loader import Loader
from ..observe.figures import LoaderFigures
from ..run.loaders import wait_loaded
from ..run.marts import Marts
from ..settings.tree import Settings
from ..topic.client import PATIENT, client_config, ends_of, ensure_topics
from ..warehouse.connect import Address
from ..warehouse.migrate import migrate
from ..warehouse.offsets import Place as Partition
from ..warehouse.offsets import offsets_of
from ..warehouse.sqlfiles import read_sql

if TYPE_CHECKING:
    from ..check.named import Check
    from ..check.verdict import Report
    from ..transform import DbtRun

POLL_S: Final = 0.01
STOP_S: Final = 5.0
CUT_S: Final = 60.0  # so long facts may stay above the cut
DELETED_S: Final = 60.0  # so long a topic may take to be gone
NEED_MARTS: Final = ("built", "freshness")  # the others that do are skipped while there are none
# For a test process, which keeps libpq's variables (PGSSLMODE=require and the like): this server is not what they are meant for.
UNSTEERED: Final = {
    "hostaddr": "", "sslmode": "disable", "gssencmode": "disable", "channel_binding": "disable", "options": "",
    "target_session_attrs": "any",
}  # fmt: skip
GRANTED: Final = "ecom_dbt"  # makes schemas in it; a copy has not the rights of its template
log = logging.getLogger("ecom_lite.testing")
_lives = itertools.count(1)


def checks_of(marts: bool) -> list[Check]:
    """The count's; without `marts` those that need none."""
    from ..check.named import built_in

    return [check for check in built_in() if marts or check.name not in NEED_MARTS]


class Place:
    """`prepare` and `begin` once, then the rest, from any thread."""

    def __init__(self, settings: Settings, bootstrap: str, template: Address, database: str) -> None:
        self._settings = settings
        self._bootstrap = bootstrap
        self._template = template
        self._address = template.with_database(database)
        self._client = client_config(settings.kafka, bootstrap) | PATIENT  # people's tests run beside others
        self._marts = Marts(settings, lambda: self._address)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._figures = LoaderFigures()

    def prepare(self) -> None:
        """Topic and database."""
        with ThreadPoolExecutor(1) as aside:
            kafka = self._settings.kafka
            topics = aside.submit(ensure_topics, self._client, kafka.topic, kafka.partitions, kafka.dlq_topic)
            self._make_database()
            topics.result()

    def begin(self) -> None:
        """The loader. It reads from the topic's beginning, so nobody need wait until it has joined."""
        self._stop, self._failure = threading.Event(), None
        self._thread = threading.Thread(
            target=self._load, args=(self._stop,), name=f"load-{self._settings.kafka.topic}", daemon=True
        )
        self._thread.start()

    def known(self) -> dict[str, str]:
        """What a test may know."""
        topic, conninfo = self._settings.kafka.topic, self._address.conninfo("ecom_reader", **UNSTEERED)
        return {"bootstrap": self._bootstrap, "topic": topic, "conninfo": conninfo}

    def wait(self, timeout_s: float) -> None:
        """Until all that is on the topic now is accounted for. Raises TimeoutError, and LoadError where the loader has died."""
        ends = {place: end for place, end in self._ends().items() if end}
        give_up = threading.Event()
        watch = threading.Thread(target=self._give_up_with_loader, args=(give_up,), daemon=True)
        watch.start()
        try:
            done = wait_loaded(self._address, ends, timeout_s, give_up, POLL_S)
        finally:
            give_up.set()
        if self._failure is not None:
            raise LoadError(f"the loader has ended: {self._failure}") from self._failure
        if not done:
            with self._address.connect("ecom_reader") as reader:
                loaded = offsets_of(reader, [self._settings.kafka.topic])
            waits = self._figures.waiting_for
            raise TimeoutError(
                f"not loaded after {timeout_s:g} s: the topic ends at {ends}, loaded are {loaded}"
                + (f"; the loader waits for {waits}" if waits else "")
            )

    def refresh(self) -> DbtRun:
        self._wait_for_the_cut()
        return self._marts.refresh("refresh")

    def check(self, marts: bool) -> Report:
        """The count; without `marts` only what needs none."""
        from ..check.reconcile import reconcile

        return reconcile(self._address, [self._settings.kafka.topic], self._ends, producing=False, checks=checks_of(marts))

    def reset(self) -> None:
        """As `begin` found it: the same names, nothing in them."""
        self._end_loader()
        with ThreadPoolExecutor(1) as aside:
            gone = aside.submit(self._delete_topics)
            self._drop_database()
            gone.result()
        self._marts = Marts(self._settings, lambda: self._address)
        self.prepare()
        self.begin()

    def end(self) -> None:
        """Have the loader stop; `drop` waits for that."""
        self._stop.set()

    def drop(self) -> None:
        """All of it goes. Never raises: the engines may be going."""
        with suppress(EcomLiteError, KafkaError, psycopg.Error, OSError):
            self._end_loader()
            self._drop_database()
            self._delete_topics()

    def _load(self, stop: threading.Event) -> None:
        def told(figures: LoaderFigures) -> None:
            self._figures = figures

        kafka = self._settings.kafka
        try:
            # A name of its own in each life: a member that left a moment ago is not waited for.
            loader = Loader(
                self._settings, self._address, self._bootstrap, instance=f"load-{kafka.topic}-{next(_lives)}", report=told
            )
            loader.run(stop, 0.0)
        except BaseException as error:  # told to whoever waits for it
            log.warning("the loader of %s has ended: %s", kafka.topic, error)
            if stop is self._stop:  # else it is one of before the reset, which was slow to end
                self._failure = error

    def _wait_for_the_cut(self) -> None:
        """While a database is made or dropped for another test, marts would lack what was loaded since that began."""
        give_up = time.monotonic() + CUT_S
        with suppress(psycopg.Error), self._address.connect(GRANTED, autocommit=True) as connection:
            while connection.execute(read_sql(__package__, "below_the_cut")).fetchone() != (True,):
                if time.monotonic() > give_up:
                    return  # dbt says who keeps it back
                time.sleep(POLL_S)

    def _give_up_with_loader(self, give_up: threading.Event) -> None:
        while not give_up.wait(POLL_S * 5):
            if self._failure is not None:
                give_up.set()

    def _end_loader(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(STOP_S)

    def _ends(self) -> Mapping[Partition, int]:
        return ends_of(self._client, [self._settings.kafka.topic])

    def _make_database(self) -> None:
        database, template = sql.Identifier(self._address.database), sql.Identifier(self._template.database)
        with self._template.with_database("postgres").connect("admin", autocommit=True) as admin:
            # Files are copied as they are: with fsync off that is quicker than through the log.
            statement = "CREATE DATABASE {} TEMPLATE {} OWNER ecom_owner STRATEGY file_copy"
            admin.execute(sql.SQL(statement).format(database, template))
            admin.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, sql.Identifier(GRANTED)))
        settings = self._settings
        migrate(
            self._address, currency=settings.currency, attributes=settings.events.attributes, time_zone=settings.shop.time_zone
        )

    def _drop_database(self) -> None:
        with self._template.with_database("postgres").connect("admin", autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self._address.database)))

    def _delete_topics(self) -> None:
        kafka = self._settings.kafka
        names = [kafka.topic, kafka.dlq_topic]
        admin = KafkaAdminClient(**self._client)
        try:
            with suppress(UnknownTopicOrPartitionError):
                admin.delete_topics(names)
            give_up = time.monotonic() + DELETED_S
            while set(names) & set(admin.list_topics()) and time.monotonic() < give_up:
                time.sleep(POLL_S)
        finally:
            admin.close()
