"""How a room reaches PostgreSQL: one frozen address, one role per room, passwords only in memory and in one 0600 file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ..errors import ConfigError

if TYPE_CHECKING:  # psycopg takes a fifth of a second: an address does without until it is connected to
    import psycopg

ROLES: Final = ("ecom_owner", "ecom_loader", "ecom_producer", "ecom_stream", "ecom_dbt", "ecom_lake", "ecom_reader")
CONNECT_TIMEOUT_S: Final = 10  # a busy machine may keep a server from letting us in for some seconds
READER_STATEMENT_TIMEOUT_S: Final = 30
# A server that vanishes without a word (a pulled cable, a frozen host) is a broken connection after about half a minute.
LIVENESS: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4, "tcp_user_timeout": 30_000}


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
        """The external address of `postgres.url`; ConfigError when it is not one."""
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        try:
            parts = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            raise ConfigError(f"postgres.url is not a PostgreSQL address: {str(error).strip()}") from None
        known = {"host", "port", "dbname", "user", "password"}
        return cls(
            host=str(parts.get("host") or "127.0.0.1"),
            port=int(parts.get("port") or 5432),
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
        return make_conninfo(
            "",
            host=self.host,
            port=self.port,
            dbname=self.database,
            user=self.admin if admin else role,
            password=self.admin_password if admin else self.passwords[role],
            connect_timeout=CONNECT_TIMEOUT_S,
            **{**LIVENESS, "application_name": f"ecom_lite {role.removeprefix('ecom_')}", **self.options, **extra},
        )

    def connect(self, role: str, *, autocommit: bool = False) -> psycopg.Connection:
        """A new connection as `role`. Raises psycopg.OperationalError when the server cannot be reached."""
        import psycopg

        return psycopg.connect(self.conninfo(role), autocommit=autocommit)
