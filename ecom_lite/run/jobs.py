"""What a worker process is given, one JSON line on its stdin: the settings that it reads, its role's password and no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ..settings.data_dir import LAKE, lake_tables
from ..settings.override import ShopOverride
from ..settings.show import dump_sections
from ..settings.tree import Postgres, Settings
from ..warehouse.connect import Address
from .reach import Reach

WORKER: Final = "ecom_lite.run.worker"  # the module that takes such a job
Sections = Mapping[str, Mapping[str, Any]]  # of the settings, as plain JSON values


class WorkerJob(msgspec.Struct, frozen=True, kw_only=True):
    """What each of them needs: `settings` holds only the sections that it reads, `address` only its role's password."""

    settings: Sections
    address: Address
    bootstrap: str
    log_level: str


class Hold(msgspec.Struct, frozen=True):
    """A further line for `load` and `lake`: write nothing more while there is a `reason` to, such as a disk that is full."""

    reason: str = ""


class LoadJob(WorkerJob, frozen=True, kw_only=True):
    """For `load`: `instance` is its name in the consumer group, `drain_s` how long it may go on once told to stop."""

    instance: str
    drain_s: float
    held: str = ""  # as a Hold says


class ProduceJob(WorkerJob, frozen=True, kw_only=True):
    """For `produce`: `events` more, or `until` the topic has so many of the shop's; neither means no end."""

    events: int | None = None
    until: int | None = None
    override: ShopOverride = ShopOverride()


class LakeJob(WorkerJob, frozen=True, kw_only=True):
    """For `lake`: `folder` is the lake's in the data folder, `tables` that of this warehouse's tables, in there."""

    folder: str
    tables: str
    held: str = ""  # as a Hold says


def load_job(settings: Settings, reach: Reach, instance: str, drain_s: float, held: str = "") -> LoadJob:
    return LoadJob(
        settings=dump_sections(settings, ("kafka", "events", "currency", "load")),
        address=reach.address.only("ecom_loader").by_value(),
        bootstrap=reach.bootstrap, log_level=settings.run.log_level, instance=instance, drain_s=drain_s, held=held,
    )  # fmt: skip


def produce_job(settings: Settings, reach: Reach, *, events: int | None, until: int | None, override: ShopOverride) -> ProduceJob:
    return ProduceJob(
        settings=dump_sections(settings, ("kafka", "shop", "faults")), address=reach.address.only("ecom_producer").by_value(),
        bootstrap=reach.bootstrap, log_level=settings.run.log_level, events=events, until=until, override=override,
    )  # fmt: skip


def lake_job(settings: Settings, reach: Reach, held: str = "") -> LakeJob:
    return LakeJob(
        settings=dump_sections(settings, ("kafka", "events", "lake")), address=reach.address.only("ecom_lake").by_value(),
        bootstrap=reach.bootstrap, log_level=settings.run.log_level, folder=str(settings.data_dir / LAKE),
        tables=lake_tables(_whose(settings, reach)), held=held,
    )  # fmt: skip


def _whose(settings: Settings, reach: Reach) -> str:
    """What tells this warehouse from others that were used with the data folder; "" for our own server's usual database."""
    if settings.postgres.url.get_secret_value():
        return reach.address.place
    usual = Postgres.model_fields["database"].default
    return "" if settings.postgres.database == usual else settings.postgres.database
