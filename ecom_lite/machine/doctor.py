"""Looks for what would keep a run from starting; each finding comes with its fix."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import psutil

from ..engines.from_settings import jar_cache, jar_groups
from ..engines.grafana import find_grafana
from ..engines.java import MIN_MAJOR, find_java, java_version
from ..engines.pgfiles import find_install, version_of
from ..engines.ports import LOOPBACK, is_free, port_owner
from ..errors import EcomLiteError, EngineError
from ..live.lock import holder
from ..settings.tree import Settings
from .finding import Finding
from .page_login import FIX, open_to_all
from .ports import wanted_ports
from .servers import look_at_kafka, look_at_postgres

NEEDED_DISK: Final = 2 << 30
NEEDED_MEMORY: Final = 2 << 30
NEEDED_MEMORY_LIGHT: Final = 1 << 30


def examine(settings: Settings) -> list[Finding]:
    """All findings, good ones too. Starts nothing and leaves nothing behind."""
    return [
        Finding((3, 11) <= sys.version_info[:2] <= (3, 13), "Python", sys.version.split()[0], "use Python 3.11, 3.12 or 3.13"),
        *([_java(settings)] if jar_groups(settings) else []),
        *[_jars(settings, group) for group in jar_groups(settings)],
        *([look_at_kafka(settings)] if settings.kafka.bootstrap else []),
        look_at_postgres(settings) if settings.postgres.url.get_secret_value() else _own_postgres(),
        _folder(settings.data_dir),
        _disk(settings.data_dir),
        _memory(settings),
        *_ports(settings),
        *_host(settings),
        _grafana(settings),
        _chromium(),
        _lock(settings.data_dir),
    ]


def _java(settings: Settings) -> Finding:
    try:
        java = find_java(settings.jars.java)
        version = java_version(java)
    except (EcomLiteError, OSError) as error:
        return Finding(False, "Java", "none", str(error))
    number = ".".join(map(str, version))
    return Finding(version[0] >= MIN_MAJOR, "Java", f"{number} at {java}", f"set jars.java to a Java {MIN_MAJOR} or newer")


def _jars(settings: Settings, group: str) -> Finding:
    cache = jar_cache(settings)
    try:
        missing = cache.missing(group)
    except OSError as error:
        fix = f"make {cache.root} readable, or choose another by jars.cache_dir"
        return Finding(False, f"jars for {group}", f"{cache.root}: {error.strerror}", fix)
    found = "all there" if not missing else f"{len(missing)} missing"
    return Finding(not missing, f"jars for {group}", f"{found} in {cache.root}", "ecom_lite fetch (needs the network once)")


def _own_postgres() -> Finding:
    try:
        install = find_install()
        return Finding(True, "PostgreSQL", f"{version_of(install)} at {install}")
    except EcomLiteError as error:
        return Finding(False, "PostgreSQL", "no program that can be run", str(error))


def _folder(data_dir: Path) -> Finding:
    """By trying: what the permission bits say is not the whole truth (/proc, read-only mounts, a full disk)."""
    place = _nearest(data_dir)
    try:
        with tempfile.TemporaryFile(dir=place) as file:  # it never has a name, or only for a moment
            file.write(b"x")
    except OSError as error:
        fix = f"make {place} a writable folder, or choose another data folder by --data-dir"
        return Finding(False, "data folder", f"{data_dir}: {error.strerror or error}", fix)
    return Finding(True, "data folder", str(data_dir))


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest above it that exists."""
    return next(place for place in (path, *path.parents) if os.path.lexists(place))


def _disk(data_dir: Path) -> Finding:
    """Where the folder is, or would be: the nearest place that can be asked."""
    for place in (data_dir, *data_dir.parents):
        try:
            free = shutil.disk_usage(place).free
        except OSError:
            continue
        return Finding(free >= NEEDED_DISK, "free disk", f"{free / 1e9:.1f} GB at {place}", "free some space: a run wants 2 GB")
    return Finding(False, "free disk", f"unknown for {data_dir}", "choose another data folder by --data-dir")


def _memory(settings: Settings) -> Finding:
    needed = NEEDED_MEMORY_LIGHT if settings.run.light else NEEDED_MEMORY
    free = psutil.virtual_memory().available
    return Finding(free >= needed, "free memory", f"{free / 1e9:.1f} GB", "`ecom_lite run --light` needs half as much")


def _ports(settings: Settings) -> list[Finding]:
    if holder(settings.data_dir) is not None:
        return []  # it is our own run that has them
    findings = []
    for setting, host, port in wanted_ports(settings):
        try:
            free = is_free(port, host)
            who = "" if free else f", taken by {port_owner(port) or 'another process'}"
        except EngineError as error:
            free, who = False, f": {error}"
        findings.append(Finding(free, f"port {port}", f"{setting}{who}", f"end that process, or change {setting}"))
    return findings


def _host(settings: Settings) -> list[Finding]:
    """Where the page listens, when that is said and its port is not."""
    host = settings.dashboards.host
    if wrong := open_to_all(settings):
        return [Finding(False, "dashboards.host", wrong, FIX)]
    if host == LOOPBACK or settings.dashboards.port is not None:
        return []
    try:
        is_free(0, host)
    except (EngineError, OSError) as error:
        return [Finding(False, "dashboards.host", f"{host}: {error}", "give an address of this machine, or 0.0.0.0 for all")]
    return [Finding(True, "dashboards.host", host)]


def _grafana(settings: Settings) -> Finding:
    try:
        binary = find_grafana(settings.grafana.home) if settings.grafana.enabled else None
    except (EngineError, OSError) as error:
        return Finding(False, "Grafana", "none there", str(error))
    return Finding(True, "Grafana", str(binary or "none: the built-in page alone draws the boards"))


def _chromium() -> Finding:
    """Only a remark: no run needs it."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    return Finding(True, "Chromium", str(found or "none: only the browser tests want it, and are skipped"))


def _lock(data_dir: Path) -> Finding:
    who = holder(data_dir)
    return Finding(True, "run", "none" if who is None else f"pid {who.get('pid')} runs here now")
