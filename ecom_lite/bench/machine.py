"""What the figures were measured on: a figure without its machine says nothing."""

from __future__ import annotations

import platform
import re
from importlib.metadata import version
from typing import Any, Final

import psutil

from .. import __version__
from ..engines.from_settings import jar_cache
from ..run.servers import Servers
from ..system import processor

PACKAGES: Final = ("kafka-python", "psycopg", "msgspec")


def machine() -> dict[str, Any]:
    return {
        "cpu": processor(),
        "cores": psutil.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def versions(started: Servers) -> dict[str, str]:
    """Of everything that has a part in the figures; the engines must run."""
    with started.reach.address.connect("admin") as connection:
        postgres = connection.execute("SHOW server_version").fetchone()
    jars = " ".join(jar.name for jar in jar_cache(started.settings).classpath("kafka"))
    kafka = re.search(r"kafka_[\d.]+-(\d[\d.]*\d)\.jar", jars)
    return {
        "ecom_lite": __version__,
        "python": platform.python_version(),
        "postgresql": str(postgres[0]) if postgres else "",
        "kafka": kafka[1] if kafka else "",
        **{name: version(name) for name in PACKAGES},
    }
