"""The plugin `ecom-lite` of pytest: its options, its fixtures, and the start of the engines behind the end of the collection.

Every session of pytest that has us installed imports this module: nothing heavy is imported before a test asks for a fixture.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest

from ..errors import EngineError
from .options import NAME, OPTIONS, flags_of, number, require_good

if TYPE_CHECKING:
    from .lease import Lease
    from .topic import TopicWarehouse

ON_ENGINES: Final = {"ecom_lite_warehouse", "ecom_lite_topic"}
MARKER: Final = "ecom_lite(**settings): settings for the topic of this test, with two underscores for the point"
TOPIC: Final = "ecommerce_events"
NO_TESTS: Final = ("collectonly", "showfixtures", "show_fixtures_per_test", "setupplan")  # pytest's options that run none
_LEASE: Final = pytest.StashKey["Lease"]()

__all__ = ["NAME", "ecom_lite_events", "ecom_lite_topic", "ecom_lite_warehouse"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of pyproject.toml."""
    for name, (kind, default, text) in OPTIONS.items():
        parser.addini(name, text, type=kind, default=default)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    require_good(config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Where a test will want engines they begin to start now, beside what else is to be done before the first test."""
    given = session.config.option
    if any(getattr(given, name, False) for name in NO_TESTS) or (session.testsfailed and not given.continue_on_collection_errors):
        return
    if any(ON_ENGINES & set(getattr(item, "fixturenames", ())) for item in session.items):
        with suppress(EngineError):  # each test that wants them says it; the others go on
            _lease(session.config).take()


def _lease(config: pytest.Config) -> Lease:
    """This process's share in the engines of the session; the workers of pytest-xdist are told one name."""
    found = config.stash.get(_LEASE, None)
    if found is None:
        from .lease import Lease

        worker: dict[str, Any] = getattr(config, "workerinput", {})
        found = config.stash[_LEASE] = Lease(str(worker.get("testrunuid") or uuid.uuid4().hex), flags_of(config))
        config.add_cleanup(found.give_back)
    return found


def _topic(config: pytest.Config, name: str, flags: dict[str, Any]) -> Iterator[TopicWarehouse]:
    from .topic import topic_warehouse

    with topic_warehouse(_lease(config), name, flags, number(config, "ecom_lite_timeout", float)) as warehouse:
        yield warehouse


@pytest.fixture(scope="session")
def ecom_lite_warehouse(request: pytest.FixtureRequest) -> Iterator[TopicWarehouse]:
    """One warehouse for the whole session (of each worker of pytest-xdist): all its tests see what the others have sent."""
    yield from _topic(request.config, TOPIC, {})


@pytest.fixture
def ecom_lite_topic(request: pytest.FixtureRequest) -> Iterator[TopicWarehouse]:
    """A topic, a database and a loader of this test's own, in tenths of a second; `@pytest.mark.ecom_lite(...)` sets settings."""
    flags: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("ecom_lite"))):
        flags |= {name.replace("__", "."): value for name, value in marker.kwargs.items()}
    yield from _topic(request.config, "", flags)


@pytest.fixture(scope="session")
def ecom_lite_events(request: pytest.FixtureRequest) -> Callable[..., list[dict[str, Any]]]:
    """`ecom_lite_events(n)`: the first n events of the simulated shop, the same ones each time; `seed`, `start` and settings of
    [shop] make others."""
    from functools import partial

    from .events import shop_events

    return partial(shop_events, seed=number(request.config, "ecom_lite_seed", int))
