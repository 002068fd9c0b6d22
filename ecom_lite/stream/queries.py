"""What Spark computes: Kafka records, the order lines in them, and their per-minute figures by event time."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final

from ..contract.fields import MAX_ID, MAX_QUANTITY, MAX_TEXT, UNCATEGORISED, Field, OrderLine, fields_of
from ..contract.judged import SPARK_TYPE
from ..contract.rejected import MAX_EVENT_BYTES
from ..contract.times import EARLIEST, LATEST_AHEAD, MILLISECONDS_FROM
from ..settings.currencies import DECIMALS, DEFAULT
from ..settings.tree import Kafka as KafkaSettings
from ..settings.tree import Settings
from ..warehouse.sqlfiles import read_sql
from .plain import ABSENT, BETWEEN, PATTERN, joined, texts

MAX_RECORDS_PER_BATCH: Final = 50_000  # a backlog is worked off in pieces of this size
MAX_JUDGED_PER_BATCH: Final = 500  # records, of up to 500 lines each
MAX_AHEAD_S: Final = 60.0
OBSERVED: Final = "records"  # the metrics that a batch reports: records, lines, ahead

JSON_TYPES: Final = {
    str: "STRING",
    int: "BIGINT",
}  # as schema_of_variant calls them; of the optional fields, but for the list price

# Year, -, month, day, hour, :, minute, second, fraction, Z or hours of the offset, minutes of the offset. Not $ at the end:
# for Java that is also before a last line feed.
ISO_TIME: Final = (
    r"^(\d{4})(-?)(\d\d)\2(\d\d)"
    r"(?:[^\x00](\d\d)(?:(:?)(\d\d)(?:\6(\d\d)(?:[.,](\d{1,6})\d*)?)?)?(?: ?(Z|[+-]\d\d)(?::?(\d\d))?)?)?(?![\s\S])"
)


def source_options(kafka: KafkaSettings, bootstrap: str) -> dict[str, str]:
    """Spark's options for reading the topic, those of a protected cluster too."""
    options = {
        "kafka.bootstrap.servers": bootstrap,
        # Retention may have removed records; `checkpoint.py` warns of it, and the figures go on with what there is.
        "failOnDataLoss": "false",
        "kafka.security.protocol": kafka.security_protocol,
        "fetchOffset.numRetries": "10",
        "fetchOffset.retryIntervalMs": "1000",
        "kafka.reconnect.backoff.max.ms": "1000",
        "groupIdPrefix": "ecom_lite.stream",
        "kafka.isolation.level": "read_committed",  # as the loader: an aborted transaction is no sale
        # After each poll Spark asks for the topic's range on the same connection, behind a fetch that waits for new records:
        # with Kafka's defaults (500 ms, 500 records a poll) a micro-batch took 1 to 2 s.
        "kafka.fetch.max.wait.ms": "5",
        "kafka.max.poll.records": "5000",
    }
    if kafka.security_protocol.startswith("SASL"):
        options["kafka.sasl.mechanism"] = kafka.sasl_mechanism
        options["kafka.sasl.jaas.config"] = _login(kafka)
    if kafka.ssl_cafile:
        options |= {"kafka.ssl.truststore.type": "PEM", "kafka.ssl.truststore.location": kafka.ssl_cafile}
    return options


def _login(kafka: KafkaSettings) -> str:
    module = "scram.Scram" if kafka.sasl_mechanism.startswith("SCRAM") else "plain.Plain"
    name, password = (
        text.replace("\\", "\\\\").replace('"', '\\"') for text in (kafka.sasl_username, kafka.sasl_password.get_secret_value())
    )
    return f'org.apache.kafka.common.security.{module}LoginModule required username="{name}" password="{password}";'


def read_topic(
    session: Any, settings: Settings, bootstrap: str, max_records: int, *, topic: str, starting: str = "earliest"
) -> Any:
    """A topic, or several by commas, as a stream of Kafka records; `starting` is Spark's: a word, or a JSON object of offsets."""
    reader = session.readStream.format("kafka").options(**source_options(settings.kafka, bootstrap))
    reader = reader.option("subscribe", topic).option("startingOffsets", starting)
    return reader.option("maxOffsetsPerTrigger", str(max_records)).load()


def ahead_limit_s(watermark_s: int) -> float:
    """How far ahead of now an event may be before it is left out: less than what it would move the watermark past now."""
    return min(watermark_s / 2, MAX_AHEAD_S)


def order_lines(session: Any, records: Any, watermark_s: int, currency: str = DEFAULT) -> Any:
    """The records (a frame with `value`) as order lines with `valid` and `ahead`; see `sql/order_lines.sql`.

    `currency` is that of amounts that name none.
    """
    records.createOrReplaceTempView("kafka_records")
    return session.sql(
        _order_lines(),
        args={
            "max_bytes": MAX_EVENT_BYTES,
            "max_quantity": MAX_QUANTITY,
            "max_text": MAX_TEXT,
            "max_id": MAX_ID,
            "earliest": EARLIEST.isoformat(),
            "latest_ahead_ms": int(LATEST_AHEAD.total_seconds() * 1000),
            "ahead_ms": int(ahead_limit_s(watermark_s) * 1000),
            "iso_time": ISO_TIME,
            "milliseconds_from": MILLISECONDS_FROM,
            "uncategorised": UNCATEGORISED,
            "currency": currency,
            "plain": PATTERN,
            "absent": ABSENT,
            "between": BETWEEN,
        },
    )


@cache
def _order_lines() -> str:
    """The statement with what the table of fields says. Not by str.format: its patterns have braces of their own."""
    table = fields_of(OrderLine)
    lists = {one.name: one.kind.column for one in table if one.name == "price"}
    lists["smallest_unit"] = _smallest_unit()
    lists["struct"] = ", ".join(f"{one.name} {one.kind.spark}" for one in table)
    lists["optional"] = " AND ".join(
        _fits(one) for one in table if one.nullable and one.kind.spark == "variant" and one.python in JSON_TYPES
    )
    lists |= {"texts": texts(), "joined": joined("t")}
    text = read_sql(__package__, "order_lines").decode()
    for name, part in lists.items():
        text = text.replace(f"{{{name}}}", part)
    return text


def _smallest_unit() -> str:
    """The cases of `currency` with the amount that nothing is finer than."""
    codes: dict[int, list[str]] = {}
    for code, decimals in DECIMALS.items():
        codes.setdefault(decimals, []).append(f"'{code}'")
    return " ".join(f"WHEN currency IN ({', '.join(some)}) THEN {Decimal(1).scaleb(-of):f}BD" for of, some in codes.items())


def _fits(field: Field) -> str:
    """Whether an optional field that is read as a variant is absent, null, or as the loader takes it."""
    found, kind = f"e.{field.name}", JSON_TYPES[field.python]
    fits = f"coalesce(schema_of_variant({found}), 'VOID') IN ('{kind}', 'VOID')"
    if field.max_length is None:
        return fits
    text = f"coalesce(try_cast({found} AS STRING), '')"
    return f"{fits} AND char_length({text}) <= {field.max_length} AND NOT contains({text}, chr(0))"


def judged_lines(session: Any, records: Any, watermark_s: int) -> Any:
    """As `order_lines`, of records that hold what the loader has judged; see `contract/judged.py`."""
    records.createOrReplaceTempView("judged_records")
    return session.sql(
        read_sql(__package__, "judged_lines").decode(),
        args={"type": SPARK_TYPE, "ahead_ms": int(ahead_limit_s(watermark_s) * 1000)},
    )


def lines_by_second(lines: Any, watermark_s: int) -> Any:
    """The state: a row per second of event time, category and currency, with the list of its lines, repeated ones too.

    An event and its repetition carry the same time, so they meet in one row; a micro-batch reads and writes the few seconds that
    it touches, and not what else is known. Lines of minutes that the watermark has closed are dropped.
    """
    from pyspark.sql import functions as f

    lines = lines.observe(
        OBSERVED,
        f.count(f.lit(1)).alias("records"),
        f.count_if("valid").alias("lines"),
        f.count_if(f.expr("valid AND ahead")).alias("ahead"),
    )
    line = f.expr(
        "struct(xxhash64(order_id, product_id) AS line, xxhash64(order_id) AS order, partition, offset, "
        "CAST(revenue AS DECIMAL(18, 4)) AS revenue, quantity)"
    )
    return (
        lines.where("valid AND NOT ahead")
        .withWatermark("ordered_at", f"{watermark_s} seconds")
        .groupBy(
            f.window("ordered_at", "1 minute").alias("w"), f.expr("second(ordered_at)").alias("second"), "category", "currency"
        )
        .agg(f.collect_list(line).alias("lines"))
        .selectExpr("w.start AS window_start", "second", "category", "currency", "lines")
    )


def news(touched: Any, starts: Sequence[int]) -> Any:
    """Of the rows that a micro-batch touched, what it adds to each minute, category and currency; see `sql/news.sql`.

    `starts` are the offsets at which the micro-batch begins, by partition. `window_start` is in seconds since 1970: Python would
    read a Spark timestamp in the zone of this process.
    """
    from pyspark.sql import functions as f

    touched.coalesce(1).createOrReplaceTempView("touched")  # in one piece there is nothing to shuffle
    return touched.sparkSession.sql(read_sql(__package__, "news").decode(), args={"starts": f.array(*map(f.lit, starts))})
