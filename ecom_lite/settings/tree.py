"""The tree of settings: every section, every value, what it may be and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from ..errors import UsageError
from .alerts import Alerts
from .currencies import DECIMALS, DEFAULT
from .events import AllEvents
from .password import PagePassword
from .paths import absolute
from .section import OwnFolder, OwnPath, Section, Topic
from .values import Countries, CurrencyCode, Duration, Moment, Rate, Share, Unit, Zone

YEAR_S = 31_536_000  # a turn that is further away than dates go is none
Port = Annotated[int, Field(ge=1, le=65_535)]


class Run(Section):
    """The run itself."""

    data_dir: Path = Field(Path(".ecom_lite"), description="everything the run keeps: databases, logs, passwords")
    light: bool = Field(False, description="no Spark: per-minute figures are a view over the facts")
    fast_start: bool = Field(
        True, description="make what later starts are quicker by, in the background: 250 MB beside the jars with Spark"
    )
    ready_timeout_s: float = Field(120, gt=0, description="a part that is not ready by then fails the run")
    stop_timeout_s: float = Field(30, gt=0, description="the loader may drain this long at the end")
    restarts: int = Field(5, ge=0, description="per part, within restart_window_s; past that the run fails")
    restart_window_s: float = Field(300, gt=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    disk_pause_percent: float = Field(95, ge=10, le=100, description="so full a disk of the data folder pauses the shop")
    disk_wait_percent: float = Field(98, ge=10, le=100, description="... and has loaders, lake, dbt and Spark wait, too")
    disk_counts_gb: float = Field(
        100, gt=0, description="of a larger disk only so much counts: 95 and 98 % are then 5 and 2 GB that are free"
    )

    @model_validator(mode="after")
    def _pauses_first(self) -> Run:
        if self.disk_wait_percent < self.disk_pause_percent:
            raise ValueError(
                f"disk_wait_percent = {self.disk_wait_percent:g} is below disk_pause_percent = {self.disk_pause_percent:g}: "
                "the shop pauses before the loaders wait"
            )
        return self


class Kafka(Section):
    """The broker. With `bootstrap` set nothing is started: Redpanda or any Kafka cluster serves."""

    bootstrap: str = Field("", description="host:port,... of an external broker; empty starts our own")
    topic: Topic = "ecommerce_events"
    partitions: int = Field(4, ge=1, le=1000, description="for a topic that does not exist yet")
    port: Port | None = Field(None, description="of our own broker; free one if unset")
    heap_mb: int = Field(384, ge=128, description="Java heap of our own broker")
    retention_hours: int = Field(168, ge=1)
    retention_mb: int = Field(4096, ge=16, description="per partition, our own broker")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: str = ""
    sasl_username: str = ""
    sasl_password: SecretStr = SecretStr("")
    ssl_cafile: str = ""

    @field_validator("ssl_cafile", mode="after")
    @classmethod
    def _for_spark_too(cls, file: str) -> str:
        return str(absolute(Path(file))) if file else ""  # its JVM works in another folder

    @property
    def dlq_topic(self) -> str:
        return f"{self.topic}.dlq"

    @property
    def judged_topic(self) -> str:
        """Of order lines for Spark, where it cannot read the topic itself."""
        return f"{self.topic}.judged"


class Postgres(Section):
    """The database. With `url` set nothing is started; its role must be allowed to create roles and schemas."""

    url: SecretStr = Field(SecretStr(""), description="postgresql://user:password@host:port/database; empty starts our own")
    passwords_file: OwnPath | None = Field(
        None, description="with url set, where our roles' passwords are kept; unset: passwords/roles.json in the data folder"
    )
    port: Port | None = Field(None, description="of our own server; free one if unset")
    database: str = Field("ecom_lite", pattern=r"^[a-z_][a-z0-9_]{0,62}$")


class Shop(Section):
    """The simulated shop. What it does is a function of the seed and of these settings; when, of its clock."""

    enabled: bool = Field(True, description="false: only your own events")
    seed: int = Field(7, ge=0, le=2**53)
    rate: Rate | None = Field(
        None,
        description="orders per second, or max, or natural (by its clock); unset: natural with a history, else 5",
    )
    events: int | None = Field(None, ge=0, description="stop after this many events")
    time_zone: Zone = Field("UTC", description="days, weeks and months of the marts begin by its clock, such as Europe/Berlin")
    # Its clock
    start: Moment | None = Field(None, description="its clock begins here, not now: equal seeds then send equal events")
    history: Duration | None = Field(None, description="so much past (such as 90d) is sent first, at full speed")
    speed: float | None = Field(None, gt=0, le=100_000, description="its clock runs so many times as fast, until it reaches now")
    # Its size
    orders_per_day: int = Field(2_500, ge=1, le=100_000_000, description="by its clock, on average")
    products: int = Field(20, ge=1, le=1_000_000, description="unset: 20, with a history 300")
    customers: int = Field(
        200, ge=1, le=100_000_000, description="so many sign up in the end; unset: 200, with a history 200,000"
    )
    customers_start: int | None = Field(None, ge=1, description="so many are there at the opening; unset: a twentieth")
    countries: Countries = Field(("US", "GB", "DE", "FR", "ES", "NL"), min_length=1)
    # Its rhythm: 0 is flat, 1 is a usual shop
    hours: Unit = Field(1.0, description="how much the hour of the day matters")
    weekdays: Unit = Field(1.0, description="how much the day of the week matters")
    season: Unit = Field(1.0, description="how much the month matters")
    # Its customers
    buyers: Literal["50/30/20", "long tail"] | None = Field(
        None, description="who buys how much; unset: 50/30/20 up to 10,000 customers, then a long tail"
    )
    buyers_tail: float = Field(2.0, ge=0, le=4, description="exponent of the long tail: 2 gives four fifths to one fifth")
    lapsed: Unit = Field(0.2, description="share of the customers who stay away for a while, at any time")
    moves: Unit = Field(0.005, description="of so many orders the customer has moved house before")
    # Its baskets
    max_lines: int = Field(6, ge=1, le=20, description="an order has 1 .. this many lines")
    more_lines: Unit = Field(0.6, description="chance of one more line")
    related: Unit = Field(0.5, description="chance that a further line goes with the first")
    cancelled: Unit = Field(0.03, description="of all orders, on average over the categories")
    returned: Unit = Field(0.06, description="of all orders, one line of them, on average over the categories")
    # Its range
    product_tail: float = Field(0.8, ge=0, le=2, description="exponent of the popularity in a range of more than 20 products")
    price_change: Unit = Field(0.05, description="every 30 days a price moves by up to this")
    promotions: Unit = Field(0.05, description="share of the products that are on promotion in a week")
    discount: Unit = Field(0.2, description="by so much a promotion is cheaper")

    @model_validator(mode="before")
    @classmethod
    def _size(cls, given: Any) -> Any:
        # In months of business 200 customers would all be regulars, and 20 products a stall.
        if isinstance(given, Mapping) and given.get("history") is not None:
            return {"products": 300, "customers": 200_000, **given}
        return given

    @property
    def shop_id(self) -> str:
        """The name of its stream of events, in the ledger and in the records' header."""
        return f"seed-{self.seed}"


class Faults(Section):
    """What goes wrong on the way to the topic: shares of the events, switched by `ecom_lite fault` while it runs."""

    late: Share = Field(0.0, description="held back for up to late_s")
    late_s: Duration = Field(60.0, description="the longest a late event is held back, in seconds")
    duplicate: Share = Field(0.0, description="sent twice")
    out_of_order: Share = Field(0.0, description="overtaken by up to 20 later events")
    malformed: Share = Field(0.0, description="sent once more, broken, in one of many ways")
    burst: Share = Field(0.0, description="share of the seconds in which five times as many orders come")
    silence: Share = Field(0.0, description="share of the seconds in which none comes")

    @classmethod
    def switches(cls) -> dict[str, str]:
        """What can be switched while it runs, with its description: the shares."""
        return {name: field.description or "" for name, field in cls.model_fields.items() if name != "late_s"}


class Currency(Section):
    """Which currency amounts are in: those of events, and those of the figures."""

    default: CurrencyCode = Field(DEFAULT, description="ISO 4217 code: of events that carry none")
    reporting: CurrencyCode | None = Field(
        None, description="figures are in it, by the rates of `ecom_lite rates`; unset: default"
    )

    @property
    def of_figures(self) -> str:
        return self.reporting or self.default


class Load(Section):
    """The loaders: processes in one consumer group, each with a share of the partitions."""

    processes: int = Field(1, ge=1, le=16, description="loader processes; those beyond the number of partitions wait in reserve")
    batch_rows: int = Field(20_000, ge=1, le=100_000, description="commit at the latest after so many records")
    flush_ms: int = Field(200, ge=1, le=60_000, description="... or so long after the first one")
    dead_letter_days: int = Field(
        365, ge=0, le=36_500, description="the bytes of dead letters are kept so many days, their rows for ever; 0: bytes, too"
    )
    metrics_port: Port | None = Field(None, description="`ecom_lite load` serves /metrics there, on loopback; none if unset")


class Spark(Section):
    """Spark Structured Streaming."""

    master: str = "local[2]"
    memory_mb: int = Field(512, ge=384, description="Java heap of the driver")
    shuffle_partitions: int = Field(2, ge=1, description="part of the checkpoint: a change needs a reset")
    trigger_s: float = Field(0.7, gt=0, description="a micro-batch this often; each costs some 0.2 s of CPU")
    watermark_s: int = Field(120, ge=1, description="how late an event may be and still be counted per minute")


class Lake(Section):
    """The lake: the facts as Parquet files, kept up by load order, and the raw archive (docs/lake.md)."""

    enabled: bool = Field(True, description="a run keeps the lake up to the facts, and the raw archive")
    every_s: float = Field(2.0, ge=0.2, le=3600, description="new facts are copied this often")
    keep_snapshots_h: float = Field(24, gt=0, le=876_000, description="so far back it can be asked how it was (AT)")
    raw_days: int = Field(
        30, ge=0, le=36_500, description="the topics' records are kept so many days as Parquet under lake/raw; 0: not at all"
    )


class Transform(Section):
    """dbt."""

    every_s: float = Field(300, gt=0, le=YEAR_S)
    early_facts: int = Field(50_000, ge=0, description="the marts are built earlier when so many facts wait; 0: never")
    threads: int = Field(2, ge=1)
    project: OwnFolder | None = Field(
        None, description="a dbt project of your own instead of the one that comes with the program; `ecom_lite init` writes it"
    )


class Check(Section):
    """Your own checks: .sql files (docs/checks.md)."""

    folder: OwnFolder = Field(
        Path("checks"), validate_default=True, description="your own checks, a .sql file each; as a rule beside config.toml"
    )
    timeout_s: float = Field(10, gt=0, le=3600, description="the longest that one of your own checks may take")
    every_s: float | None = Field(
        None, ge=1, le=YEAR_S, description="a run takes your own checks this often, such as 60; unset: never"
    )


class Dashboards(Section):
    """The built-in page, and Grafana where a binary is found."""

    host: str = Field("127.0.0.1", description="where the page listens; beyond this machine it demands a password")
    folder: OwnFolder | None = Field(
        None, description="boards of your own, a .json file each, instead of those that come with the program"
    )
    port: Port | None = Field(None, description="of the built-in page; 8100 or the next free one if unset")
    password: PagePassword = Field(
        SecretStr(""), description="who looks must log in by it: at least 12 characters, or the hash by `ecom_lite password`"
    )


class Grafana(Section):
    enabled: bool = Field(True, description="start Grafana when a binary is found")
    home: OwnPath | None = Field(None, description="folder of a Grafana installation; else $GRAFANA_HOME, else `grafana` on PATH")
    port: Port | None = Field(None, description="3000 or a free one if unset")
    alerting: bool = Field(False, description="Grafana evaluates the rules that come with the program, too: a run does so anyway")


class Jars(Section):
    """Where Kafka's and Spark's jars come from (fetched once, checked against the lock)."""

    cache_dir: OwnPath | None = Field(None, description="default: the user's cache folder")
    mirror: str = Field("", description="base address of a Maven repository to use instead of Maven Central")
    offline_dir: OwnPath | None = Field(None, description="a folder that already has the jars: no network at all")
    java: Path | None = Field(None, description="a Java 17+ executable; default: the bundled runtime")


class Settings(Section):
    """The whole tree. Build it by `load_settings`, which names file, field, value and reason when something is wrong."""

    run: Run = Run()
    kafka: Kafka = Kafka()
    postgres: Postgres = Postgres()
    shop: Shop = Shop()
    faults: Faults = Faults()
    events: AllEvents = AllEvents()
    currency: Currency = Currency()
    load: Load = Load()
    spark: Spark = Spark()
    lake: Lake = Lake()
    transform: Transform = Transform()
    check: Check = Check()
    alerts: Alerts = Alerts()
    dashboards: Dashboards = Dashboards()
    grafana: Grafana = Grafana()
    jars: Jars = Jars()

    @field_validator("run", mode="after")
    @classmethod
    def _absolute(cls, run: Run) -> Run:
        try:
            return run.model_copy(update={"data_dir": absolute(run.data_dir)})
        except ValueError as error:
            raise ValueError(f"data_dir = {str(run.data_dir)!r}: {error}") from None

    @model_validator(mode="after")
    def _topics_differ(self) -> Settings:
        kafka = self.kafka
        taken = {
            kafka.topic: "of kafka.topic", kafka.dlq_topic: "for dead letters", kafka.judged_topic: "for Spark"
        }  # fmt: skip
        if use := taken.get(self.alerts.topic):
            raise ValueError(f"alerts.topic = {self.alerts.topic!r}: that is the topic {use}: give alerts their own")
        taken[self.alerts.topic] = "of alerts"
        for name, source in self.events.sources.items():
            if use := taken.get(source.topic):
                raise ValueError(f"events.{name}.topic = {source.topic!r}: that is the topic {use}: give each source its own")
            taken[source.topic] = f"of events.{name}"
        return self

    @field_validator("currency", mode="after")
    @classmethod
    def _fits_the_shop(cls, currency: Currency, info: ValidationInfo) -> Currency:
        shop = info.data.get("shop")
        if shop is not None and shop.enabled and DECIMALS[currency.default] != 2:
            raise ValueError(
                f"the simulated shop's prices have two decimals, {currency.default} has {DECIMALS[currency.default]}: set "
                "shop.enabled = false, or keep another default and let your events carry their currency"
            )
        return currency

    @property
    def spark_reads_judged(self) -> bool:
        """Whether Spark reads order lines that the loader has judged, not the topic."""
        return not (self.run.light or (self.events.contract and not self.events.sources))

    @property
    def topics(self) -> tuple[str, ...]:
        """All that is loaded: kafka.topic comes first."""
        return (self.kafka.topic, *(source.topic for source in self.events.sources.values()))

    def of_source(self, name: str) -> Settings:
        """The same, with this source in the place of kafka.topic and [events]. Raises UsageError where there is none."""
        source = self.events.sources.get(name)
        if source is None:
            there = ", ".join(self.events.sources) or "none: a table [events.NAME] with a topic makes one"
            raise UsageError(f"--source {name}: no such source; there is {there}")
        events = AllEvents.model_validate(source.model_dump(exclude={"topic"}))
        return self.model_copy(update={"kafka": self.kafka.model_copy(update={"topic": source.topic}), "events": events})

    def source_of(self, topic: str) -> str | None:
        """The name of the further source that has this topic."""
        return next((name for name, source in self.events.sources.items() if source.topic == topic), None)

    @property
    def data_dir(self) -> Path:
        return self.run.data_dir
