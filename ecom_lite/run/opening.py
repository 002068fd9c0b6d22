"""Refuses, before anything is started, a run whose settings do not fit the shop that the warehouse already has.

The truth is `ops.shops`. A PostgreSQL of our own is not up yet: beside its files lies a copy, which goes when they go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import psycopg
from psycopg.errors import InsufficientPrivilege

from ..contract.events import utc_now
from ..errors import EcomLiteError
from ..produce.plan import Opening, decide
from ..produce.turn import who_sends
from ..settings.data_dir import POSTGRES, write_private
from ..settings.tree import Settings
from ..warehouse.connect import Address
from ..warehouse.sqlfiles import read_sql
from .reach import named_address

COPY: Final = f"{POSTGRES}/shops.json"  # in the data folder: {database: {shop: {opened_at, live_from, settings}}}
READER: Final = "ecom_reader"

T = TypeVar("T")
Shops = Mapping[str, Mapping[str, Any]]


def refuse_other_shop(settings: Settings) -> None:
    """Raise UsageError where the shop has begun with other settings, or is being sent by another run; and say the way out.

    Whatever cannot be read here (no copy yet, a server that is away) is no reason to refuse: the producer looks once more.
    """
    if not settings.shop.enabled:
        return
    url = settings.postgres.url.get_secret_value()
    if url:
        _refuse_second_sender(settings)
    found = (_asked(settings) if url else _copied(settings)).get(settings.shop.shop_id)
    if found is not None:
        opening = Opening(_time(found["opened_at"]), _time(found["live_from"]), found["settings"])
        decide(settings.shop, opening, begun=True, now=utc_now())


def keep_copy(settings: Settings, address: Address) -> bool:
    """Write the copy once the shop has begun; True when there is nothing more to do. Never raises for a database that is away."""
    if settings.postgres.url.get_secret_value() or not settings.shop.enabled:
        return True
    try:
        with address.connect(READER) as connection:
            shops = _shops(connection)
    except psycopg.Error:
        return False
    if settings.shop.shop_id not in shops:
        return False
    file = settings.data_dir / COPY
    try:
        write_private(file, json.dumps({**_content(file), address.database: shops}))
    except OSError as error:
        raise EcomLiteError(f"{file} cannot be written: {error.strerror}") from None
    return True


def _refuse_second_sender(settings: Settings) -> None:
    shop_id = settings.shop.shop_id
    found = _look(settings, lambda connection: who_sends(connection, shop_id))
    if found is not None and found.held and found.active:  # who has ended in good order holds it until its session is gone
        raise found.taken(shop_id)


def _asked(settings: Settings) -> Shops:
    return _look(settings, _shops) or {}


def _look(settings: Settings, ask: Callable[[psycopg.Connection], T]) -> T | None:
    """As the administrator, and where that one is no superuser, as the reader; None where nothing can be read."""
    address = named_address(settings)
    for role in ("admin", READER):
        try:
            with address.connect(role) as connection:
                return ask(connection)
        except InsufficientPrivilege:
            continue
        except psycopg.Error:
            break
    return None


def _copied(settings: Settings) -> Shops:
    found: Shops = _content(settings.data_dir / COPY).get(settings.postgres.database, {})
    return found


def _content(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _shops(connection: psycopg.Connection) -> Shops:
    return {shop: found for shop, found in connection.execute(read_sql(__package__, "begun_shops"))}


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
