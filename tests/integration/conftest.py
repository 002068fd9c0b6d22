"""What the tests of the loader, of dead letters and of the count share: a topic and a warehouse, and a way to load."""

from __future__ import annotations

import pytest

from ecom_lite.warehouse.connect import Address

from .loading import Bench


@pytest.fixture
def bench(kafka_bootstrap: str, topic: str, warehouse: Address) -> Bench:
    return Bench(kafka_bootstrap, topic, warehouse)
