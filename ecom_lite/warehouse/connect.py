"""How a room reaches PostgreSQL: one frozen address, one role per room, passwords only in memory and in one 0600 file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ..errors import ConfigError

if TYPE_CHECKING:  # psycopg takes a fifth of a second: an address does without until it is connected to
    import psycopg

ROLES: Final = ("ecom_owner", "ecom_loader", "ecom_producer", "ecom_stream", "ecom_dbt", "ecom_lake", "ecom_reader")
CONNECT_TIMEOUT_S: Final = 10  # a busy machine may keep a server from letting us in for some seconds
READER_STATEMENT_TIMEOUT_S: Final = 30
ENCODING: Final = "UTF8"  # of the loader's binary rows, whatever PGCLIENTENCODING says
# A server that vanishes without a word (a pulled cable, a frozen host) is a broken connection after about half a minute.
LIVENESS: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4, "tcp_user_timeout": 30_000}
_QUOTED: Final = re.compile(r'".*"', re.DOTALL)  # what libpq says of an address has parts of it


class _One(Mapping[str, str]):
    """Of other passwords that of one role, as it is when it is asked for."""

    def __init__(self, passwords: Mapping[str, str], role: str) -> None:
        self._passwords = passwords
        self._role = role

    def __getitem__(self, role: str) -> str:
        if role != self._role:
            raise KeyError(role)
        return self._passwords[role]

    def __iter__(self) -> Iterator[str]:
        return iter([self._role])

    def __len__(self) -> int:
        return 1


def _no_address(why: str) -> ConfigError:
    return ConfigError(
        f"postgres.url is not a PostgreSQL address: {why}; it is written postgresql://user:password@host:port/database, in "
        "the password %40 for @, %2F for /, %3A for :, %25 for % and %20 for a blank"
    )


@dataclass(frozen=True)
class Address:
    """Where the warehouse is, and the passwords of its roles. `str()` and `repr()` show no password."""

    host: str
    port: int
    database: str
    admin: str
    admin_password: str = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)  # further libpq settings of an external address (sslmode, ...)

    @classmethod
    def from_url(cls, url: str, passwords: Mapping[str, str]) -> Address:
        """The external address of `postgres.url`; ConfigError when it is not one, which has nothing of it in its words: where
        an address is broken, parts of the password may stand anywhere."""
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        try:
            parts = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            raise _no_address(_QUOTED.sub('"..."', str(error).strip())) from None
        host, port = str(parts.get("host") or "127.0.0.1"), str(parts.get("port") or 5432)
        if "," in port:
            raise _no_address("it has several ports, and one is needed")
        one_at = host.startswith("/") and url.count("@") == 1  # the folder of a socket, of ann@example.org
        if "@" in host[1:] and not one_at:  # a socket's name may begin with it
            raise _no_address("there are two @ in it")
        if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65_536):
            raise _no_address("its port is none")
        known = {"host", "port", "dbname", "user", "password"}
        return cls(
            host=host,
            port=int(port),
            database=str(parts.get("dbname") or "ecom_lite"),
            admin=str(parts.get("user") or "postgres"),
            admin_password=str(parts.get("password") or ""),
            passwords=passwords,
            options={key: str(value) for key, value in parts.items() if key not in known},
        )

    @property
    def place(self) -> str:
        """For people: host:port/database."""
        return f"{self.host}:{self.port}/{self.database}"

    def only(self, role: str) -> Address:
        """The same place with the password of one role and no other: for whoever needs no more."""
        return replace(self, admin="", admin_password="", passwords=_One(self.passwords, role))

    def by_value(self) -> Address:
        """With the passwords as they are now: for another process."""
        return replace(self, passwords=dict(self.passwords))

    def with_database(self, database: str) -> Address:
        return replace(self, database=database)

    def conninfo(self, role: str, **extra: Any) -> str:
        """A libpq connection string for one of ROLES (or "admin"), with a connect timeout."""
        from psycopg.conninfo import make_conninfo

        admin = role == "admin"
        name = f"ecom_lite {role.removeprefix('ecom_')}"
        ours: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_S, **LIVENESS, "application_name": name}
        return make_conninfo(
            "",
            host=self.host,
            port=self.port,
            dbname=self.database,
            user=self.admin if admin else role,
            password=self.admin_password if admin else self.passwords[role],
            **{**ours, **self.options, "client_encoding": ENCODING, **extra},
        )

    def connect(self, role: str, *, autocommit: bool = False) -> psycopg.Connection:
        """A new connection as `role`. Raises psycopg.OperationalError when the server cannot be reached."""
        import psycopg

        return psycopg.connect(self.conninfo(role), autocommit=autocommit)
