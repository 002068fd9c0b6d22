"""What Spark computes: Kafka records, the order lines in them, and their per-minute figures by event time."""

from __future__ import annotations

from typing import Any, Final

from ..contract.fields import MAX_ID, MAX_QUANTITY, MAX_TEXT, PRICE_LIMIT, UNCATEGORISED
from ..contract.judged import SPARK_TYPE
from ..contract.rejected import MAX_EVENT_BYTES
from ..contract.times import EARLIEST, LATEST_AHEAD, MILLISECONDS_FROM
from ..settings.currencies import DECIMALS, DEFAULT
from ..settings.tree import Kafka as KafkaSettings
from ..settings.tree import Settings
from ..warehouse.sqlfiles import read_sql
from .classes import instance

MAX_RECORDS_PER_BATCH: Final = 50_000  # a backlog is worked off in pieces of this size
MAX_JUDGED_PER_BATCH: Final = 500  # records, of up to 500 lines each
MAX_AHEAD_S: Final = 60.0
OBSERVED: Final = "records"  # the metrics that a batch reports: records, lines, ahead

ADDED: Final = "text STRING, arrived BIGINT, lines BIGINT"
SHARES: Final = 4  # of a minute: what is kept of it is written anew with every micro-batch, and several tasks share it

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
    """The records (a frame with `value`) as order lines, each judged as the loader judges it; see `java/Judge.java`.

    Columns: order_id, product_id, category, quantity, revenue_e4 (in 1/10000), currency, ordered_at, valid, ahead. `currency` is
    that of amounts that name none.
    """
    limits = {
        "max_bytes": MAX_EVENT_BYTES,
        "max_id": MAX_ID,
        "max_text": MAX_TEXT,
        "max_quantity": MAX_QUANTITY,
        "price_limit": str(PRICE_LIMIT),
        "earliest_us": int(EARLIEST.timestamp() * 1_000_000),
        "latest_ahead_ms": int(LATEST_AHEAD.total_seconds() * 1000),
        "ahead_ms": int(ahead_limit_s(watermark_s) * 1000),
        "milliseconds_from": MILLISECONDS_FROM,
        "uncategorised": UNCATEGORISED,
        "currency": currency,
        "decimals": " ".join(f"{code}:{places}" for code, places in DECIMALS.items()),
        "iso_time": ISO_TIME,
    }
    session._jsparkSession.udf().register("judge", instance(session, "Judge", limits).function())
    records.createOrReplaceTempView("kafka_records")
    return session.sql(read_sql(__package__, "order_lines").decode())


def judged_lines(session: Any, records: Any, watermark_s: int) -> Any:
    """As `order_lines`, of records that hold what the loader has judged; see `contract/judged.py`."""
    records.createOrReplaceTempView("judged_records")
    return session.sql(
        read_sql(__package__, "judged_lines").decode(),
        args={"type": SPARK_TYPE, "ahead_ms": int(ahead_limit_s(watermark_s) * 1000)},
    )


def new_lines(session: Any, lines: Any, watermark_s: int) -> Any:
    """What each micro-batch adds to the minutes, as text for PostgreSQL's COPY, with the lines that arrived and that are new.

    The state is by minute and a share of its orders; an event and its repetition carry the same time and meet in it. Lines of
    minutes that the watermark has closed are dropped. See `java/Minutes.java`.
    """
    from pyspark.sql import DataFrame
    from pyspark.sql import functions as f

    lines = lines.observe(
        OBSERVED,
        f.count(f.lit(1)).alias("records"),
        f.count_if("valid").alias("lines"),
        f.count_if(f.expr("valid AND ahead")).alias("ahead"),
    )
    placed = lines.where("valid AND NOT ahead").withWatermark("ordered_at", f"{watermark_s} seconds")
    placed = placed.withColumn("w", f.window("ordered_at", "1 minute")).selectExpr(
        "w", "unix_seconds(w.start) AS minute", "xxhash64(order_id, product_id) AS line",
        "xxhash64(order_id, category, currency) AS order", "category", "currency", "revenue_e4", "quantity",
        f"pmod(xxhash64(order_id), {SHARES}) AS share",
    )  # fmt: skip
    jvm = session._jvm
    encoders, row_of = jvm.org.apache.spark.sql.Encoders, jvm.org.apache.spark.sql.Encoders.row
    more = session.sparkContext._gateway.new_array(jvm.java.lang.String, 1)
    more[0] = "share"
    key = row_of(struct_type(session, "minute BIGINT, share BIGINT"))
    shares = getattr(placed._jdf.groupBy("minute", more), "as")(key, row_of(placed._jdf.schema()))
    added = shares.flatMapGroupsWithState(
        instance(session, "Minutes"),
        jvm.org.apache.spark.sql.streaming.OutputMode.Update(),
        encoders.BINARY(),
        row_of(struct_type(session, ADDED)),
        jvm.org.apache.spark.sql.streaming.GroupStateTimeout.EventTimeTimeout(),
    )
    return DataFrame(added, session)


def struct_type(session: Any, columns: str) -> Any:
    """The JVM's type of a row with these columns."""
    return session._jvm.org.apache.spark.sql.types.StructType.fromDDL(columns)
