"""The address of an external server: what it may say, and what is said where it is none."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from ecom_lite.errors import ConfigError
from ecom_lite.warehouse import connect
from ecom_lite.warehouse.connect import Address

PASSWORDS = {"ecom_loader": "hush"}


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://me:geheim@db/shop", "db", 5432),
        ("postgresql://me:geheim@[::1]:6543/shop", "::1", 6543),
        ("postgresql://me@/shop?host=/var/run/postgresql", "/var/run/postgresql", 5432),
        ("postgresql://me@/shop?host=@abstract", "@abstract", 5432),
        ("postgresql://me@%2Fhome%2Fann%40example.org%2Fpg/shop", "/home/ann@example.org/pg", 5432),
        ("postgresql:///shop?host=/home/ann@example.org/pg", "/home/ann@example.org/pg", 5432),
        ("host=a,b port=6543 dbname=shop", "a,b", 6543),
    ],
)
def test_where_the_server_is(url: str, host: str, port: int) -> None:
    address = Address.from_url(url, PASSWORDS)
    assert (address.host, address.port, address.database) == (host, port, "shop")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:ge%heim@db/shop",
        "postgresql://me:ge heim@db/shop",
        'postgresql://me:ge"%hei"m@db/shop',
        "postgresql://me:ge/heim@db/shop",
        "postgresql://me:x@geheim@db/shop",
        "postgresql://me:x@%2Fgeheim@db/shop",
        "postgres//me:geheim@db/shop",
        "postgresql://me:geheim@[::1/shop",
        "postgresql://me:geheim@db:0/shop",
        "postgresql://me:geheim@db:99999/shop",
        "postgresql://me:geheim@a:5432,b:5433/shop",
        "host=db password=ge heim",
        "host=db password='geheim",
    ],
)
def test_an_address_that_is_none_is_refused_without_a_part_of_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match=r"postgres\.url is not a PostgreSQL address: .*%40 for @") as raised:
        Address.from_url(url, PASSWORDS)
    assert not [part for part in ("geheim", "heim", "ge%", "ge/", "ge ") if part in str(raised.value)], str(raised.value)


def test_what_the_address_says_of_the_connection_counts_and_texts_are_utf8_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    plain = conninfo_to_dict(Address.from_url("postgresql://me@db/shop", PASSWORDS).conninfo("ecom_loader"))
    assert (plain["connect_timeout"], plain["client_encoding"]) == (str(connect.CONNECT_TIMEOUT_S), "UTF8")
    url = "postgresql://me@db/shop?connect_timeout=3&application_name=ours&sslmode=require&client_encoding=LATIN1"
    said = conninfo_to_dict(Address.from_url(url, PASSWORDS).conninfo("ecom_loader"))
    assert (said["connect_timeout"], said["application_name"], said["sslmode"]) == ("3", "ours", "require")
    assert said["client_encoding"] == "UTF8"
    assert said["user"] == "ecom_loader" and said["password"] == "hush"
