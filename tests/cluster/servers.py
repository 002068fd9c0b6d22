"""Kafka and PostgreSQL as docs/cluster.md asks for them, and the settings of who uses them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ecom_lite.engines.jars import JarCache
from ecom_lite.engines.java import find_java
from ecom_lite.engines.ports import LOOPBACK
from tests.cluster.brokers import MECHANISM, Brokers
from tests.cluster.certificates import Authority
from tests.cluster.database import TlsPostgres
from tests.cluster.rights import acls, statements

DATABASE: Final = "ecom_lite"
ADMIN: Final = "ecom_admin"
USERS: Final = ("ecom_run", "ecom_load")  # at Kafka
PLACEHOLDER: Final = "'change me'"  # of the administrator's password, on the page


@dataclass(frozen=True)
class Secured:
    """All that runs apart from ecom_lite; `admin_password` is that of ADMIN at PostgreSQL, `passwords` are those at Kafka."""

    authority: Authority
    kafka: Brokers
    postgres: TlsPostgres
    admin_password: str
    passwords: dict[str, str]

    def grant(self) -> None:
        """What docs/cluster.md writes down, and nothing else."""
        with self.postgres.superuser() as superuser:
            for statement in statements():
                superuser.execute(statement.replace(PLACEHOLDER, f"'{self.admin_password}'").encode())
        self.kafka.let_in(self.passwords, acls())

    @property
    def url(self) -> str:
        """Of who makes the roles."""
        return self.postgres.url(ADMIN, quote(self.admin_password, safe=""), DATABASE)

    def settings(self, user: str, url: str) -> dict[str, str]:
        """The environment of a machine that logs in to Kafka as `user`, and to PostgreSQL as `url` says."""
        return {
            "ECOM_LITE_KAFKA__BOOTSTRAP": self.kafka.bootstrap, "ECOM_LITE_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "ECOM_LITE_KAFKA__SASL_MECHANISM": MECHANISM, "ECOM_LITE_KAFKA__SASL_USERNAME": user,
            "ECOM_LITE_KAFKA__SASL_PASSWORD": self.passwords.get(user, "none"),
            "ECOM_LITE_KAFKA__SSL_CAFILE": str(self.authority.file), "ECOM_LITE_POSTGRES__URL": url,
        }  # fmt: skip


@contextmanager
def secured(folder: Path, host: str = LOOPBACK) -> Iterator[Secured]:
    """Up, and nobody is let in yet."""
    cache = JarCache()
    cache.fetch("kafka")
    authority = Authority(folder / "ca")
    postgres = TlsPostgres(authority, host)
    kafka = Brokers(folder / "kafka", find_java(), cache.classpath("kafka"), authority, host)
    try:
        postgres.start()
        kafka.start()
        passwords = {user: secrets.token_urlsafe(12) for user in USERS}
        yield Secured(authority, kafka, postgres, secrets.token_urlsafe(12), passwords)
    finally:
        kafka.stop()
        postgres.remove()
