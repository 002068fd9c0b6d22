"""A worker process is given what it needs, and nothing that is another's."""

from __future__ import annotations

import msgspec

from ecom_lite.run.jobs import LakeJob, LoadJob, ProduceJob, lake_job, load_job, produce_job
from ecom_lite.run.reach import Reach
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.override import ShopOverride
from ecom_lite.settings.tree import Settings
from ecom_lite.warehouse.connect import ROLES, Address

PASSWORDS = {role: f"secret of {role}" for role in ROLES}
SETTINGS = load_settings(
    env={}, flags={"postgres.url": "postgresql://boss:bossword@db/shop", "shop.seed": 11, "load.flush_ms": 50}
)
REACH = Reach(Address("db", 5432, "shop", "boss", "bossword", PASSWORDS), "broker:9092", SETTINGS.kafka)


def test_each_worker_gets_the_password_of_its_own_role_and_no_other() -> None:
    load = msgspec.json.encode(load_job(SETTINGS, REACH, "load-1", 5.0)).decode()
    produce = msgspec.json.encode(produce_job(SETTINGS, REACH, events=5, until=None, override=ShopOverride())).decode()
    lake = msgspec.json.encode(lake_job(SETTINGS, REACH)).decode()
    assert "bossword" not in load + produce + lake
    assert [role for role in ROLES if PASSWORDS[role] in lake] == ["ecom_lake"]
    assert [role for role in ROLES if PASSWORDS[role] in load] == ["ecom_loader"]
    assert [role for role in ROLES if PASSWORDS[role] in produce] == ["ecom_producer"]


def test_each_worker_gets_the_settings_that_it_reads_and_no_others() -> None:
    load = msgspec.json.decode(msgspec.json.encode(load_job(SETTINGS, REACH, "load-1", 5.0)), type=LoadJob)
    assert set(load.settings) == {"kafka", "events", "currency", "load"}
    assert Settings.model_validate(load.settings).load.flush_ms == 50
    assert (load.address.passwords, load.address.place) == ({"ecom_loader": PASSWORDS["ecom_loader"]}, "db:5432/shop")
    wanted = produce_job(SETTINGS, REACH, events=None, until=900, override=ShopOverride(rate="max", faults={"late": 0.1}))
    produce = msgspec.json.decode(msgspec.json.encode(wanted), type=ProduceJob)
    assert set(produce.settings) == {"kafka", "shop", "faults"}
    assert Settings.model_validate(produce.settings).shop == SETTINGS.shop
    lake = msgspec.json.decode(msgspec.json.encode(lake_job(SETTINGS, REACH)), type=LakeJob)
    assert (set(lake.settings), lake.folder) == ({"kafka", "events", "lake"}, str(SETTINGS.data_dir / "lake"))
    assert (produce.until, produce.override) == (900, ShopOverride("max", None, {"late": 0.1}))
