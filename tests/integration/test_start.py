"""The start of a run's servers: what one of them does must not wait for another one."""

from pathlib import Path

from ecom_lite.run.servers import servers
from ecom_lite.settings.load import load_settings
from ecom_lite.terminal.terminal import Terminal
from ecom_lite.topic.client import end_offsets


def test_topics_are_made_by_a_kafka_that_is_up_before_postgresql(tmp_path: Path) -> None:
    settings = load_settings(env={}, flags={"run.data_dir": tmp_path / "data", "kafka.partitions": 3})
    with servers(settings, "test", Terminal(quiet=True), temporary=True) as started:
        assert started.kafka is not None and started.postgres is not None
        started.kafka.start()
        started.supervisor.slot("topics").service.start()
        assert len(end_offsets(started.client, settings.kafka.topic)) == 3 and not started.postgres.alive
        started.kafka.stop()
