"""Looks for what would keep a run from starting; each finding comes with its fix."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from ..engines.from_settings import fixed_ports, jar_cache, jar_groups
from ..engines.java import MIN_MAJOR, find_java, java_version
from ..engines.pgfiles import find_install
from ..engines.ports import is_free, port_owner
from ..errors import EcomLiteError, first_line
from ..live.lock import holder
from ..settings.tree import Settings
from ..warehouse.connect import Address

NEEDED_DISK: Final = 2 << 30
NEEDED_MEMORY: Final = 2 << 30
NEEDED_MEMORY_LIGHT: Final = 1 << 30


class Finding(NamedTuple):
    ok: bool
    what: str
    found: str
    fix: str = ""


def examine(settings: Settings) -> list[Finding]:
    """All findings, good ones too. Starts nothing and changes nothing."""
    return [
        Finding(sys.version_info >= (3, 11), "Python", sys.version.split()[0], "use Python 3.11 or newer"),
        *([_java(settings)] if jar_groups(settings) else []),
        *[_jars(settings, group) for group in jar_groups(settings)],
        *([_kafka(settings)] if settings.kafka.bootstrap else []),
        _postgres(settings),
        _folder(settings.data_dir),
        _disk(settings.data_dir),
        _memory(settings),
        *_ports(settings),
        _lock(settings.data_dir),
    ]


def _java(settings: Settings) -> Finding:
    try:
        java = find_java(settings.jars.java)
        version = java_version(java)
    except EcomLiteError as error:
        return Finding(False, "Java", "none", str(error))
    number = ".".join(map(str, version))
    return Finding(version[0] >= MIN_MAJOR, "Java", f"{number} at {java}", f"set jars.java to a Java {MIN_MAJOR} or newer")


def _jars(settings: Settings, group: str) -> Finding:
    cache = jar_cache(settings)
    missing = cache.missing(group)
    found = "all there" if not missing else f"{len(missing)} missing"
    return Finding(not missing, f"jars for {group}", f"{found} in {cache.root}", "ecom_lite fetch (needs the network once)")


def _kafka(settings: Settings) -> Finding:
    from ..topic.client import client_config, reachable

    where = settings.kafka.bootstrap
    try:
        answers = reachable(client_config(settings.kafka, where))
    except EcomLiteError as error:
        return Finding(False, "Kafka", f"external, {where}", str(error))
    found = f"external, {where}" + ("" if answers else ": nobody answers")
    return Finding(answers, "Kafka", found, "start that broker, or correct kafka.bootstrap")


def _postgres(settings: Settings) -> Finding:
    url = settings.postgres.url.get_secret_value()
    if url:
        import psycopg

        try:
            address = Address.from_url(url, {})
            where = f"external, {address.host}:{address.port}/{address.database}"
            with psycopg.connect(address.with_database("postgres").conninfo("admin")) as admin:
                return Finding(True, "PostgreSQL", f"{where}, version {admin.info.server_version // 10_000}")
        except (EcomLiteError, psycopg.Error) as error:
            return Finding(False, "PostgreSQL", first_line(error), "start that server, or correct postgres.url")
    try:
        return Finding(True, "PostgreSQL", str(find_install()))
    except EcomLiteError as error:
        return Finding(False, "PostgreSQL", "no binaries", str(error))


def _folder(data_dir: Path) -> Finding:
    place = data_dir
    while not place.exists():
        place = place.parent
    fits = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    return Finding(fits, "data folder", str(data_dir), f"make {place} writable, or choose another folder by --data-dir")


def _disk(data_dir: Path) -> Finding:
    place = data_dir
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    return Finding(free >= NEEDED_DISK, "free disk", f"{free / 1e9:.1f} GB at {place}", "free some space: a run wants 2 GB")


def _memory(settings: Settings) -> Finding:
    needed = NEEDED_MEMORY_LIGHT if settings.run.light else NEEDED_MEMORY
    free = psutil.virtual_memory().available
    return Finding(free >= needed, "free memory", f"{free / 1e9:.1f} GB", "`ecom_lite run --light` needs half as much")


def _ports(settings: Settings) -> list[Finding]:
    if holder(settings.data_dir) is not None:
        return []  # they are the run's own
    findings = []
    for name, port, host in fixed_ports(settings):
        free = is_free(port, host)
        who = "" if free else f", taken by {port_owner(port) or 'another process'}"
        findings.append(Finding(free, f"port {port}", f"{name}{who}", f"end that process, or change {name}"))
    return findings


def _lock(data_dir: Path) -> Finding:
    who = holder(data_dir)
    return Finding(True, "run", "none" if who is None else f"pid {who.get('pid')} runs here now")
