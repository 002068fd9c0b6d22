"""Owns the Spark session of this process: built on a gateway JVM that someone else started, and taken down without a trace."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from ..errors import StreamError
from ..settings.data_dir import SPARK
from ..settings.tree import Settings
from .classes import PACKAGE, jar
from .executors import require_master

APP_NAME: Final = "ecom_lite"
LOOPBACK: Final = "127.0.0.1"
FILE_MANAGER: Final = "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
FILE_SYSTEM: Final = f"{PACKAGE}.LocalFiles"
STATE_STORE: Final = "RocksDB"
ROCKSDB_PROVIDER: Final = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
_lock = threading.Lock()
_opened: dict[tuple[int, str], Any] = {}  # by port and secret of the JVM: what `open_ahead` has opened


class Gateway(Protocol):
    """What is needed of the JVM: where it listens, its jars beside Spark's own, and where what is made once is kept."""

    @property
    def port(self) -> int: ...
    @property
    def secret(self) -> str: ...
    @property
    def alive(self) -> bool: ...
    @property
    def jars(self) -> tuple[Path, ...]: ...
    @property
    def archive_dir(self) -> Path | None: ...
    def log_tail(self, n: int = ...) -> str: ...


def configuration(settings: Settings, gateway: Gateway, data_dir: Path, classes: Path) -> dict[str, str]:
    """Spark's own settings. In local mode everything stays on loopback and on the local disk."""
    spark = settings.spark
    conf = {
        "spark.master": spark.master,
        "spark.app.name": APP_NAME,
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": str(data_dir / SPARK / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        # A value that does not fit becomes NULL, and so an invalid event; it must never end the query.
        "spark.sql.ansi.enabled": "false",
        "spark.sql.adaptive.enabled": "false",
        # Each micro-batch makes its code anew, which costs more than it saves: the work is in our own classes.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.variant.allowDuplicateKeys": "true",
        "spark.sql.shuffle.partitions": str(spark.shuffle_partitions),
        "spark.sql.streaming.stopTimeout": "15s",
        "spark.sql.streaming.minBatchesToRetain": "10",
        "spark.sql.streaming.numRecentProgressUpdates": "20",
        "spark.sql.streaming.metricsEnabled": "false",
        "spark.cleaner.periodicGC.interval": "10min",
        # State outside the heap, within a fixed budget: a rate of thousands a second must not end in OutOfMemory.
        "spark.sql.streaming.stateStore.providerClass": ROCKSDB_PROVIDER,
        "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
        "spark.sql.streaming.stateStore.rocksdb.boundedMemoryUsage": "true",
        "spark.sql.streaming.stateStore.rocksdb.maxMemoryUsageMB": "64",
        "spark.sql.streaming.stateStore.rocksdb.trackTotalNumberOfRows": "true",
        "spark.sql.parquet.compression.codec": "zstd",
    }
    if spark.master.startswith("local"):
        conf |= {
            "spark.driver.host": LOOPBACK,
            "spark.driver.bindAddress": LOOPBACK,
            # Other users of this machine reach loopback, too. Local Spark makes a secret for each session, and tells nobody.
            "spark.authenticate": "true",
            "spark.sql.streaming.checkpointFileManagerClass": FILE_MANAGER,
            # Without a checksum file beside each file, and without a process for each.
            "spark.hadoop.fs.file.impl": FILE_SYSTEM,
        }
    else:
        conf["spark.jars"] = ",".join(map(str, (*gateway.jars, classes)))
    return conf


def open_ahead(settings: Settings, gateway: Gateway, data_dir: Path) -> None:
    """Open the session that the next `open_session` on this JVM returns: some seconds that need neither Kafka nor PostgreSQL.

    Raises StreamError as `open_session` does.
    """
    session = open_session(settings, gateway, data_dir)
    with _lock:
        _opened[gateway.port, gateway.secret] = session


def open_session(settings: Settings, gateway: Gateway, data_dir: Path) -> Any:
    """A SparkSession on the gateway JVM that nobody has used; one that this process still has is closed first.

    Raises StreamError when the JVM does not answer or refuses the settings.
    """
    with _lock:
        ahead = _opened.pop((gateway.port, gateway.secret), None)
        if ahead is not None:
            return ahead
        _stop_context()
        # py4j tells of every lost connection with a traceback; we report the cause ourselves.
        logging.getLogger("py4j").setLevel(logging.CRITICAL)
        from py4j.protocol import Py4JError
        from pyspark import SparkConf, SparkContext
        from pyspark.sql import SparkSession

        require_master(settings.spark.master)
        try:
            connection = _connect(gateway)
            classes = jar(connection.jvm, *filter(None, (gateway.archive_dir, data_dir / SPARK / "classes")))
            loader = connection.jvm.java.lang.Thread.currentThread().getContextClassLoader()
            loader.addURL(connection.jvm.java.net.URI(classes.as_uri()).toURL())
            conf = SparkConf(loadDefaults=False, _jvm=connection.jvm)
            for name, value in configuration(settings, gateway, data_dir, classes).items():
                conf.set(name, value)
            with _interrupts_kept():
                return SparkSession(SparkContext(gateway=connection, conf=conf))
        except (Py4JError, OSError, RuntimeError) as error:
            _stop_context()
            raise StreamError(f"Spark cannot start with spark.master = {settings.spark.master}: {short(error)}") from error


def close_session() -> None:
    """Stop the session; its JVM may be alive or dead. Safe when there is none."""
    with _lock:
        _stop_context()


def _connect(gateway: Gateway) -> Any:
    """The connection to this JVM: the one we have, or a new one in place of that to a JVM which is gone."""
    from pyspark import SparkContext
    from pyspark.java_gateway import launch_gateway

    old: Any = SparkContext._gateway
    if old is not None:
        parameters = old.java_parameters
        if (parameters.port, parameters.auth_token) == (gateway.port, gateway.secret):
            return old
        SparkContext._gateway = SparkContext._jvm = None
        # Blocks for as long as the old JVM holds its end.
        threading.Thread(target=_disconnect, args=(old,), name="old spark connection", daemon=True).start()
    with environment(PYSPARK_GATEWAY_PORT=str(gateway.port), PYSPARK_GATEWAY_SECRET=gateway.secret):
        connect: Any = launch_gateway
        return connect()


@contextmanager
def _interrupts_kept() -> Iterator[None]:
    """A context that is made on the main thread takes SIGINT for itself and never gives it back; it is our caller's."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def _disconnect(connection: Any) -> None:
    from py4j.clientserver import SHUTDOWN_FINALIZER_WORKER

    with suppress(Exception):  # a thread that py4j only ends with the JVM
        connection._gateway_client.finalizer_deque.appendleft(SHUTDOWN_FINALIZER_WORKER)
    with suppress(Exception):
        connection.shutdown_callback_server()
    with suppress(Exception):
        connection.close()


def _stop_context() -> None:
    _opened.clear()
    if "pyspark" not in sys.modules:
        return
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    context: Any = SparkContext._active_spark_context
    for _ in range(0 if context is None else 2):  # of a dead JVM the first one raises, and leaves a server with its thread
        with suppress(Exception):
            context.stop()
    SparkContext._active_spark_context = None
    SparkSession._instantiatedSession = None
    SparkSession._activeSession = None


@contextmanager
def environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def short(error: BaseException, limit: int = 300) -> str:
    """The telling line of what Spark raised, which may be a page of Java."""
    try:
        text = str(error)
    except Exception:
        text = type(error).__name__
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by:").strip() for line in lines if line.startswith("Caused by:")]
    first = causes[-1] if causes else next((line for line in lines if not line.startswith("An error occurred while")), text)
    return first if len(first) <= limit else first[:limit] + "..."
