"""Owns the Java process that Spark runs in: its flags, start, connection details and stop. No Spark session is made here.

pyspark's own launcher asks Java for a module that small runtimes lack, and hides the process. Here flags, pid and log are ours.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from ecom_lite.engines.child import ChildRegistry, inherited
from ecom_lite.engines.jvm import JvmServer
from ecom_lite.engines.ports import LOOPBACK
from ecom_lite.errors import EngineError

START_DEADLINE_S: Final = 60.0
STOP_GRACE_S: Final = 10.0
POLL_S: Final = 0.01
DEFAULT_MEMORY_MB: Final = 640
# Of the environment, which spark-submit takes for options of its own: other programs have such names, too; and where it looks for
# spark-defaults.conf, which may name a cluster, packages or a file system that have nothing to do with a local session.
OPTIONS: Final = ("MASTER", "DEPLOY_MODE", "SPARK_REMOTE")
INSTALLATION: Final = ("SPARK_HOME", "SPARK_CONF_DIR")
MAIN: Final = ("org.apache.spark.deploy.SparkSubmit", "pyspark-shell")

# Lean, and it gives heap back after a burst. Without the second compiler a start takes a third less CPU and 50 MB less; the
# price is 40 us instead of 24 us of CPU per event, which only thousands of events a second would notice.
JVM_FLAGS: Final = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:MinHeapFreeRatio=10",
    "-XX:MaxHeapFreeRatio=30",
    "-XX:ReservedCodeCacheSize=96m",
    "-XX:MaxDirectMemorySize=128m",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:+IgnoreUnrecognizedVMOptions",
    "-Djava.awt.headless=true",
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dfile.encoding=UTF-8",
)
OPENED: Final = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
)

LOG_SETTINGS: Final = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.target=SYSTEM_ERR
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}{UTC} %-5p %c{1}: %m%n%ex{8}
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
logger.behind.name=org.apache.spark.sql.execution.streaming.runtime.ProcessingTimeExecutor
logger.behind.level=error
logger.native.name=org.apache.hadoop.util.NativeCodeLoader
logger.native.level=error
logger.kafkaconfig.name=org.apache.kafka.clients
logger.kafkaconfig.level=error
logger.cancel.name=org.apache.spark.scheduler.DAGScheduler
logger.cancel.level=error
logger.executors.name=org.apache.spark.deploy.client
logger.executors.level=info
logger.truncated.name=org.apache.spark.sql.catalyst.util.SparkStringUtils
logger.truncated.level=error
"""


class SparkGateway(JvmServer):
    """The JVM that a Spark session is built on, as a child process. Methods may be called from any thread, one at a time.

    With a `master` other than local[..] the same JVM is the driver in client mode; the session ships `jars` to the executors.
    With an `archive_dir` it starts from a class archive there, once `build_archive` has made one.
    """

    name = "Spark"
    min_classes = 10_000
    stdin_pipe = True

    def __init__(
        self,
        work_dir: Path,
        log_dir: Path,
        *,
        java: Path,
        jars: Sequence[Path],
        memory_mb: int = DEFAULT_MEMORY_MB,
        master: str = "local[2]",
        registry: ChildRegistry | None = None,
        archive_dir: Path | None = None,
        jvm_args: Sequence[str] = (),
    ) -> None:
        self.jars = tuple(jar.absolute() for jar in jars)
        self.archive_dir = archive_dir
        self.master = master
        self._secret = ""
        super().__init__(
            work_dir, log_dir / "spark.log", java=java, heap=[f"-Xmx{memory_mb}m"],
            flags=[*JVM_FLAGS, *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED), *jvm_args],
            classpath=[pyspark_jars() / "*", *self.jars], main=MAIN, registry=registry, archive_dir=archive_dir,
        )  # fmt: skip

    def _env(self) -> dict[str, str]:
        local = self.master.startswith("local")
        others = {*OPTIONS, *(INSTALLATION if local else ())}
        env = {name: value for name, value in inherited("PYSPARK_", "_PYSPARK_").items() if name not in others}
        env |= {"_PYSPARK_DRIVER_CONN_INFO_PATH": str(self._conn_info), "SPARK_CONNECT_MODE": "0", "MALLOC_ARENA_MAX": "2"}
        if local:
            env["SPARK_LOCAL_IP"] = LOOPBACK
        return env

    @property
    def _conn_info(self) -> Path:
        return self._tmp / "gateway"

    @property
    def secret(self) -> str:
        """What a client of the gateway must know; only in memory."""
        return self._secret

    def start(self, deadline_s: float = START_DEADLINE_S) -> None:
        """Start the JVM; returns once its gateway has told its port and secret. May be called again after a stop or a crash.

        Raises EngineError, with the end of the log, when it dies or is not ready within `deadline_s` seconds.
        """
        self._begin()
        try:
            self._start(deadline_s)
        except EngineError:
            if self._archive is None or not self._archive.ready or self._cancelled.is_set():
                raise
            self._archive.discard()  # it may be the archive: once more without
            self._start(deadline_s)

    def _start(self, deadline_s: float) -> None:
        give_up = time.monotonic() + deadline_s
        self._prepare(LOG_SETTINGS)
        self._child = self._server_child()
        self._child.start()
        try:
            self._port, self._secret = self._read_connection(give_up)
        except BaseException:
            self._child.kill()
            raise
        self._conn_info.unlink()

    def _read_connection(self, give_up: float) -> tuple[int, str]:
        """Port (4 bytes) and secret (length in 4 bytes, UTF-8), big-endian; the JVM moves the file in place whole."""
        while time.monotonic() < give_up:
            if self._conn_info.exists():
                data = self._conn_info.read_bytes()
                port, length = struct.unpack_from(">ii", data)
                return port, data[8 : 8 + length].decode()
            if not self.alive:
                break
            time.sleep(POLL_S)
        raise self._child.failure("starting")

    def stop(self, grace_s: float = STOP_GRACE_S) -> bool:
        return super().stop(grace_s)


def pyspark_jars() -> Path:
    """The folder of Spark's own jars, found without importing pyspark. Raises EngineError when it is not installed."""
    spec = find_spec("pyspark")
    if spec is None or not spec.submodule_search_locations:
        raise EngineError("pyspark is not installed: install ecom_lite again, or run with --light.")
    return Path(spec.submodule_search_locations[0]) / "jars"
