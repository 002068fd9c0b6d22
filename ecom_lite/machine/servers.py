"""Looks at servers that run elsewhere: whether they answer, how fast, which version, and whether we may do what a run does."""

from __future__ import annotations

import time
from typing import Final

import psycopg

from ..errors import EcomLiteError, first_line
from ..settings.tree import Settings
from ..topic.client import client_config
from ..topic.cluster import ask_cluster
from ..warehouse.connect import Address
from ..warehouse.passwords import shared_passwords
from ..warehouse.refused import refused_login
from ..warehouse.rights import OLDEST, lacking, too_old
from .finding import Finding

OWNER: Final = "ecom_owner"
WRONG_PASSWORD: Final = "28P01"
ROTATE: Final = "--rotate-passwords"


def look_at_kafka(settings: Settings) -> Finding:
    """The broker of kafka.bootstrap."""
    where = f"external, {settings.kafka.bootstrap}"
    try:
        found = ask_cluster(client_config(settings.kafka, settings.kafka.bootstrap), settings.topics)
    except EcomLiteError as error:
        return Finding(False, "Kafka", f"{where}: nobody answers", str(error))
    topics = [
        f"topic {topic}: {f'{count} partitions' if count else 'not there yet: a run makes it'}"
        for topic, count in found.partitions.items()
    ]
    return Finding(
        True, "Kafka",
        f"{where}: API of {found.version}, cluster {found.cluster_id}, {found.latency_ms:.0f} ms; "
        + "; ".join(topics),
    )  # fmt: skip


def look_at_postgres(settings: Settings) -> Finding:
    """The server of postgres.url, whether its role may make the roles, the database and the schemas, and whether we have the
    passwords of the roles that are there."""
    try:
        passwords = shared_passwords(settings)
        address = Address.from_url(settings.postgres.url.get_secret_value(), passwords)
        with psycopg.connect(address.with_database("postgres").conninfo("admin")) as admin:
            began = time.monotonic()
            owned = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone() is not None
            latency_ms = (time.monotonic() - began) * 1000
            version, old = admin.info.parameter_status("server_version"), too_old(admin)
        rights = lacking(address)
    except (EcomLiteError, psycopg.Error) as error:
        return Finding(False, "PostgreSQL", f"external: {first_line(error)}", "start that server, or correct postgres.url")
    where = f"external, {address.host}:{address.port}/{address.database}: version {version}, {latency_ms:.0f} ms"
    if old:
        return Finding(False, "PostgreSQL", where, f"update that server to {OLDEST} or newer, or leave postgres.url out")
    if rights:
        return Finding(
            False, "PostgreSQL", f"{where}; {address.admin} may not {', '.join(rights)}",
            "let a superuser grant that, or put another role into postgres.url",
        )  # fmt: skip
    if owned and (refused := _refused(address)):
        fix = f"copy the roles' passwords from the machine that made them to {passwords.path}, or `ecom_lite migrate {ROTATE}`"
        return Finding(False, "PostgreSQL", f"{where}; {refused}", fix)
    return Finding(True, "PostgreSQL", f"{where}; {address.admin} may do what is needed")


def _refused(address: Address) -> str:
    """Why the server does not take the password that we have for the owner; empty where it does, or where that is not known."""
    try:
        address.connect(OWNER).close()
    except psycopg.Error as error:
        return first_line(error) if refused_login(error) == WRONG_PASSWORD else ""
    except EcomLiteError as error:
        return str(error)
    return ""
