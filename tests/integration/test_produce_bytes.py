"""What stands on the topic is a matter of the seed alone: the digests were taken while kafka-python put the batches together."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from ecom_lite.contract.events import FAULT_HEADER
from ecom_lite.topic.client import client_config
from ecom_lite.warehouse.connect import Address
from tests.integration.producing import send, settings_for
from tests.integration.topics import records_of

EVENTS = 6_000
OPENED = {"seed": 7, "rate": "max", "start": "2026-01-05T00:00:00Z"}  # with times of its own, not those of the sending
FAULTS = {"duplicate": 0.05, "malformed": 0.05, "out_of_order": 0.05}  # all but "late", which goes by the real clock
KNOWN = {
    "none": {0: "9af7d8673ed643bc", 1: "f79a8735fc334662", 2: "5f22786356dc9c50", 3: "edcb166ec1de868a"},
    "all but late": {0: "05ff902a325ed639", 1: "5b3f710e45da7dfb", 2: "53118182aec49a1e", 3: "f8cc3ce2af0f1e94"},
}


def digests(bootstrap: str, topic: str) -> dict[int, str]:
    """Of the keys, values and faults of each partition, in their order."""
    sums: dict[int, Any] = {}
    for record in records_of(client_config(settings_for(topic).kafka, bootstrap), topic):
        fault = dict(record.headers).get(FAULT_HEADER, b"")
        sums.setdefault(record.partition, sha256()).update(b"%r %r %r\n" % (record.key, record.value, fault))
    return {partition: one.hexdigest()[:16] for partition, one in sums.items()}


@pytest.mark.parametrize("faults", ["none", "all but late"])
def test_a_seed_gives_the_bytes_it_has_always_given(faults: str, warehouse: Address, kafka_bootstrap: str, topic: str) -> None:
    settings = settings_for(topic, {} if faults == "none" else FAULTS, **OPENED)
    send(settings, warehouse, kafka_bootstrap, events=EVENTS)
    assert digests(kafka_bootstrap, topic) == KNOWN[faults]
