"""Owns the one-node Kafka broker: its settings, storage, start (also after a kill), proof of life and stop."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from ecom_lite.engines.child import ChildRegistry
from ecom_lite.engines.jvm import JvmServer
from ecom_lite.engines.kafka_storage import META, StorageTemplate, make_storage
from ecom_lite.engines.ports import choose_port, claim, free_port, wait_port
from ecom_lite.errors import EngineError
from ecom_lite.settings.data_dir import write_plain

DEFAULT_HEAP_MB = 384
DEFAULT_RETENTION_HOURS = 168
DEFAULT_RETENTION_BYTES = 1 << 30  # per partition
SEGMENT_BYTES = 64 << 20  # retention drops whole segments only
START_DEADLINE_S = 60.0
STOP_GRACE_S = 10.0
ROUND_TRIP_TIMEOUT_MS = 2_000
POLL_S = 0.02
JVM_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true", "-Dfile.encoding=UTF-8")

# Eligible leader replicas choose among several copies after a crash. Here there is one copy: it leads, always.
FORMAT = ("--standalone", "--feature", "eligible.leader.replicas.version=0")
STORAGE = "storage"
PROPERTIES = "server.properties"

# One node, loopback only. The four timeouts at the end let a start after SIGKILL take 5 s instead of 13 s.
SETTINGS = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers={host}:{controller_port}
log.dirs={storage}
auto.create.topics.enable=false
num.partitions=4
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=2
group.initial.rebalance.delay.ms=0
log.retention.hours={retention_hours}
log.retention.bytes={retention_bytes}
log.segment.bytes={segment_bytes}
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
group.min.session.timeout.ms=1000
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
"""

LOG_SETTINGS = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}{UTC} %-5p %c{1}: %m%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
logger.server.name=kafka.server
logger.server.level=info
"""


class KafkaServer(JvmServer):
    """A Kafka broker of our own, one KRaft node on loopback. `stop()` and `kill()` may be called from any
    thread, also during `start()`, which then raises.

    `port=None` takes the last run's port when it is still free, else a free one; a restart of this object keeps it.
    `retention_bytes` counts per partition. With an `archive_dir` it starts from a class archive there, once there is one.
    """

    name = "Kafka"
    min_classes = 5_000

    def __init__(
        self,
        data_dir: Path,
        log_dir: Path,
        *,
        java: Path,
        classpath: Sequence[Path],
        port: int | None = None,
        heap_mb: int = DEFAULT_HEAP_MB,
        retention_hours: int = DEFAULT_RETENTION_HOURS,
        retention_bytes: int = DEFAULT_RETENTION_BYTES,
        registry: ChildRegistry | None = None,
        archive_dir: Path | None = None,
        jvm_args: Sequence[str] = (),
    ) -> None:
        # Paths in settings are relative to the child's folder: Kafka splits `log.dirs` at commas.
        super().__init__(
            data_dir, log_dir / "kafka.log", java=java, heap=["-Xms64m", f"-Xmx{heap_mb}m"], flags=[*JVM_FLAGS, *jvm_args],
            classpath=classpath, main=["kafka.Kafka", PROPERTIES], registry=registry, archive_dir=archive_dir,
        )  # fmt: skip
        self.data_dir = self.work_dir
        self.classpath = tuple(classpath)
        self._fixed_port = port
        self._controller_port: int | None = None
        self._retention = (retention_hours, retention_bytes)
        self._template: StorageTemplate | None = None
        if archive_dir is not None:
            self._template = StorageTemplate(archive_dir.absolute(), self.classpath, "\n".join([SETTINGS, *FORMAT]))

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"{self.host}:{self.port}"

    def start(self, deadline_s: float = START_DEADLINE_S) -> None:
        """Start the broker, formatting its storage the first time, and return once it has answered a client.

        May be called again after a stop, a kill or a crash. Raises EngineError, with the end of the log, when it dies
        or is not ready within `deadline_s` seconds; nothing runs then. Raises PortTaken for a fixed port that is in use.
        """
        self._begin()
        give_up = time.monotonic() + deadline_s
        self._prepare(LOG_SETTINGS)
        self._choose_ports()
        copied = not (self.data_dir / STORAGE / META).exists() and self._format(give_up)
        try:
            self._start(give_up)
        except EngineError:
            if not copied or self._cancelled.is_set():
                raise
            assert self._template is not None
            self._template.discard()  # it may be the template: once more by Kafka's own tool
            shutil.rmtree(self.data_dir / STORAGE)
            self._format(give_up)
            self._start(give_up)

    def _start(self, give_up: float) -> None:
        write_plain(self.data_dir / PROPERTIES, self._settings(STORAGE))
        self._child = self._server_child()
        self._child.start()
        try:
            wait_port(self.port, self.host, deadline_s=give_up - time.monotonic(), alive=self._wanted, what="Kafka")
            self._round_trip(give_up)
        except EngineError as error:
            failure = self._child.failure(f"starting on {self.bootstrap}", error)
            self._child.kill()
            raise failure from error
        except BaseException:
            self._child.kill()
            raise

    def stop(self, grace_s: float = STOP_GRACE_S) -> bool:
        return super().stop(grace_s)

    def _wanted(self) -> bool:
        return self._child.alive and not self._cancelled.is_set()

    def _settings(self, storage: str) -> str:
        hours, size = self._retention
        return SETTINGS.format(
            host=self.host,
            port=self.port,
            controller_port=self._controller_port,
            storage=storage,
            retention_hours=hours,
            retention_bytes=size,
            segment_bytes=SEGMENT_BYTES,
        )

    def _choose_ports(self) -> None:
        """Fix both ports and write them down for the next run. Nobody but the broker itself uses the controller's."""
        file = self.data_dir / "ports.json"
        old_port = old_controller = 0
        try:
            last = json.loads(file.read_text("utf-8"))
            old_port, old_controller = int(last["port"]), int(last["controller_port"])
        except (OSError, ValueError, TypeError, KeyError):
            pass  # the first start
        self._port = choose_port(self._port, self._fixed_port, old_port, host=self.host, what="Kafka")
        controller = self._controller_port or old_controller
        usable = controller and controller != self._port and claim(controller, self.host)
        self._controller_port = controller if usable else free_port(self.host)
        write_plain(file, json.dumps({"port": self._port, "controller_port": self._controller_port}))

    def _format(self, give_up: float) -> bool:
        """Make the storage in a folder aside and move it in place whole, so that a kill never leaves half of it. True when it
        is a copy of a template."""
        draft, final = self.data_dir / (STORAGE + ".new"), self.data_dir / STORAGE
        if final.exists() and any(final.iterdir()):
            raise EngineError(
                f"The Kafka storage {final} has files but no {META}: it is damaged. Start with fresh data "
                "(`ecom_lite run --fresh` or `ecom_lite reset`), or restore the folder."
            )
        copied = make_storage(draft, self._template, lambda cluster_id: self._run_tool(cluster_id, draft, give_up))
        if final.exists():
            final.rmdir()
        draft.replace(final)
        return copied

    def _run_tool(self, cluster_id: str, storage: Path, give_up: float) -> None:
        write_plain(self.data_dir / PROPERTIES, self._settings(storage.name))
        arguments = ["format", "--cluster-id", cluster_id, "--config", PROPERTIES, *FORMAT]
        archive = [] if self._archive is None or not self._archive.ready else self._archive.jvm_args()
        child = self._java_child("Kafka's storage format", ["kafka.tools.StorageTool", *arguments], archive)
        child.start()
        try:
            code = child.wait(max(give_up - time.monotonic(), 0.1))
        finally:
            child.kill()
        if code != 0:
            raise child.failure("formatting the storage")

    def _round_trip(self, give_up: float) -> None:
        """Ask the broker for the cluster as any client would, until it names itself and a controller."""
        from kafka import KafkaAdminClient  # 0.25 s to import: not before it is needed

        last: Exception | None = None
        while time.monotonic() < give_up and self._wanted():
            try:
                admin = KafkaAdminClient(
                    bootstrap_servers=self.bootstrap,
                    client_id="ecom_lite-readiness",
                    bootstrap_timeout_ms=ROUND_TRIP_TIMEOUT_MS,
                    request_timeout_ms=ROUND_TRIP_TIMEOUT_MS,
                )
                try:
                    cluster = admin.describe_cluster()
                finally:
                    admin.close()
                if cluster.get("brokers") and cluster.get("controller_id", -1) >= 0:
                    return
            except Exception as error:  # the client raises many kinds while the broker comes up
                last = error
            time.sleep(POLL_S)
        raise EngineError(f"Kafka answers on {self.bootstrap}, but not a client's request for metadata: {last!r}")
