"""A run whose settings do not fit the shop that the warehouse has is refused before anything starts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Event

import pytest

from ecom_lite.contract.events import utc_now
from ecom_lite.errors import UsageError
from ecom_lite.produce.ledger import Ledger
from ecom_lite.produce.plan import Opening, decide
from ecom_lite.run.opening import COPY, keep_copy, refuse_other_shop
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.tree import Settings
from ecom_lite.warehouse.connect import Address
from tests.runs import DEADLINE_S

WAY_OUT = r"shop\.history = 30d cannot be set now\. Leave it out.*`run --fresh`.*--data-dir"


def settings_of(data_dir: Path, warehouse: Address, **flags: object) -> Settings:
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    return load_settings(env={}, flags={"run.data_dir": data_dir, "postgres.database": warehouse.database, **dotted})


def external(warehouse: Address) -> str:
    return f"postgresql://{warehouse.admin}:{warehouse.admin_password}@{warehouse.host}:{warehouse.port}/{warehouse.database}"


def open_shop(settings: Settings, warehouse: Address, *, begun: bool = True) -> None:
    """As a producer does with its first orders."""
    ledger = Ledger(warehouse, settings.shop.shop_id)
    ledger.open(decide(settings.shop, Opening(), False, utc_now()))
    if begun:
        with ledger.lock:
            ledger.next_sequence = 3
        ledger.start()
        assert ledger.close(DEADLINE_S)


def test_our_own_warehouse_is_known_by_the_copy_beside_it(warehouse: Address, data_dir: Path) -> None:
    plain = settings_of(data_dir, warehouse)
    (data_dir / "postgres").mkdir(parents=True)
    open_shop(plain, warehouse)
    refuse_other_shop(settings_of(data_dir, warehouse, shop__history="30d"))  # no copy yet: left to the producer
    assert keep_copy(plain, warehouse)
    refuse_other_shop(plain)
    refuse_other_shop(settings_of(data_dir, warehouse, shop__rate="max"))
    with pytest.raises(UsageError, match=WAY_OUT):
        refuse_other_shop(settings_of(data_dir, warehouse, shop__history="30d"))
    refuse_other_shop(settings_of(data_dir, warehouse, shop__history="30d", shop__seed=8))
    refuse_other_shop(settings_of(data_dir, warehouse, shop__history="30d", postgres__database="another"))


def test_a_shop_with_a_history_may_be_started_with_and_without_it(warehouse: Address, data_dir: Path) -> None:
    past = settings_of(data_dir, warehouse, shop__history="30d")
    (data_dir / "postgres").mkdir(parents=True)
    open_shop(past, warehouse)
    assert keep_copy(past, warehouse)
    refuse_other_shop(past)
    refuse_other_shop(settings_of(data_dir, warehouse))
    with pytest.raises(UsageError, match=r"shop\.history was 30d and is 90d"):
        refuse_other_shop(settings_of(data_dir, warehouse, shop__history="90d"))


def test_a_shop_that_has_sent_nothing_yet_may_still_be_another(warehouse: Address, data_dir: Path) -> None:
    plain = settings_of(data_dir, warehouse)
    (data_dir / "postgres").mkdir(parents=True)
    open_shop(plain, warehouse, begun=False)
    assert not keep_copy(plain, warehouse), "ask again later"
    assert not (data_dir / COPY).exists()


def test_a_server_of_ones_own_is_asked_itself(warehouse: Address, data_dir: Path) -> None:
    plain = settings_of(data_dir, warehouse, postgres__url=external(warehouse))
    open_shop(plain, warehouse)
    assert keep_copy(plain, warehouse) and not data_dir.exists()
    with pytest.raises(UsageError, match=WAY_OUT):
        refuse_other_shop(settings_of(data_dir, warehouse, postgres__url=external(warehouse), shop__history="30d"))
    gone = external(warehouse.with_database("nothing_here"))
    refuse_other_shop(settings_of(data_dir, warehouse, postgres__url=gone, shop__history="30d"))


def test_a_copy_that_cannot_be_read_refuses_nothing(warehouse: Address, data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    for text in ("", "[]", "{", json.dumps({"another": {}})):
        (data_dir / COPY).write_text(text)
        refuse_other_shop(settings_of(data_dir, warehouse, shop__history="30d"))


def test_a_shop_that_another_run_sends_now_is_refused_before_anything_starts(warehouse: Address, data_dir: Path) -> None:
    shared = settings_of(data_dir, warehouse, postgres__url=external(warehouse))
    ledger = Ledger(warehouse, shared.shop.shop_id)
    ledger.load(Event())
    ledger.start()
    with pytest.raises(UsageError, match=rf"seed-7 is being sent already, by process {os.getpid()} on .*shop\.enabled = false"):
        refuse_other_shop(shared)
    refuse_other_shop(settings_of(data_dir, warehouse, postgres__url=external(warehouse), shop__seed=8))
    refuse_other_shop(settings_of(data_dir, warehouse, postgres__url=external(warehouse), shop__enabled=False))
    assert ledger.close(DEADLINE_S)
    refuse_other_shop(shared)
