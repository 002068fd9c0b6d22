"""Owns the pytest plugin: a real Kafka, a real PostgreSQL warehouse and the real loader between them, for users' own tests.

def test_my_producer(ecom_lite_topic):
    my_producer(bootstrap=ecom_lite_topic.bootstrap, topic=ecom_lite_topic.topic)
    ecom_lite_topic.assert_facts(1000)

Nothing is imported here before it is asked for: every session of pytest that has us installed loads this, and so does the keeper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from .dead import DeadLetter
    from .light import light_warehouse
    from .plugin import ecom_lite_events, ecom_lite_topic, ecom_lite_warehouse
    from .topic import TopicWarehouse
    from .warehouse import LightWarehouse

__all__ = [
    "DeadLetter",
    "LightWarehouse",
    "TopicWarehouse",
    "ecom_lite_events",
    "ecom_lite_topic",
    "ecom_lite_warehouse",
    "light_warehouse",
]
_WHERE = {
    "light_warehouse": "light", "LightWarehouse": "warehouse", "DeadLetter": "dead", "TopicWarehouse": "topic",
    "ecom_lite_events": "plugin", "ecom_lite_topic": "plugin", "ecom_lite_warehouse": "plugin",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """What costs an import, at its first use."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_WHERE[name]}", __name__), name)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """For a conftest.py with `pytest_plugins = ["ecom_lite.testing"]`: the plugin itself, where its entry point is not loaded."""
    from . import plugin

    if not pluginmanager.is_registered(plugin):
        pluginmanager.register(plugin, plugin.NAME)
