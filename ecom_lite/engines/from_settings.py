"""The servers that these settings call for: built, not started."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..settings.data_dir import KAFKA, LOGS, POSTGRES, SPARK
from ..settings.libpq import forget_variables
from ..settings.tree import Settings
from .jars import JarCache, default_cache_dir
from .java import find_java
from .kafka import KafkaServer
from .registry import ChildRegistry

if TYPE_CHECKING:  # imported when it is built, so that small commands start at once
    from .postgres import PostgresServer
    from .spark import SparkGateway


def cache_dir(settings: Settings) -> Path:
    """Where jars and class archives are kept for all data folders of this user."""
    return settings.jars.cache_dir or default_cache_dir()


def archive_dir(settings: Settings) -> Path:
    """Where the class archives of our Java servers are."""
    return cache_dir(settings) / "cds"


def jar_cache(settings: Settings) -> JarCache:
    return JarCache(settings.jars.cache_dir, settings.jars.mirror or None, settings.jars.offline_dir)


def jar_groups(settings: Settings) -> list[str]:
    """What must be in the jar cache before a start with these settings."""
    return ([] if settings.kafka.bootstrap else ["kafka"]) + ([] if settings.run.light else ["spark"])


def logs_dir(settings: Settings) -> Path:
    return settings.data_dir / LOGS


def kafka_server(settings: Settings, registry: ChildRegistry) -> KafkaServer | None:
    """Our own broker; None where the settings name another one. Raises JarError while its jars are missing."""
    kafka = settings.kafka
    if kafka.bootstrap:
        return None
    java, classpath = find_java(settings.jars.java), jar_cache(settings).classpath("kafka")
    return KafkaServer(
        settings.data_dir / KAFKA, logs_dir(settings), java=java, classpath=classpath, port=kafka.port,
        archive_dir=archive_dir(settings),
        heap_mb=kafka.heap_mb, retention_hours=kafka.retention_hours, retention_bytes=kafka.retention_mb << 20,
        registry=registry,
    )  # fmt: skip


def postgres_server(settings: Settings, registry: ChildRegistry) -> PostgresServer | None:
    """Our own database server; None where the settings name another one."""
    if settings.postgres.url.get_secret_value():
        return None
    from .postgres import PostgresServer

    forget_variables()
    return PostgresServer(settings.data_dir / POSTGRES, logs_dir(settings), port=settings.postgres.port, registry=registry)


def spark_gateway(settings: Settings, registry: ChildRegistry) -> SparkGateway:
    """The JVM that Spark runs in. Raises JarError while its jars are missing."""
    from .spark import SparkGateway

    spark = settings.spark
    return SparkGateway(
        settings.data_dir / SPARK, logs_dir(settings), java=find_java(settings.jars.java),
        jars=jar_cache(settings).classpath("spark"), memory_mb=spark.memory_mb, master=spark.master,
        archive_dir=archive_dir(settings), registry=registry,
    )  # fmt: skip
