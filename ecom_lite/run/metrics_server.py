"""The metrics of `ecom_lite load`, which has no page: a small server on this machine's loopback address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from ..engines.ports import LOOPBACK
from ..errors import PortTaken
from ..observe.metrics import OF_LOADERS, registry
from ..observe.status import RunStatus


@contextmanager
def metrics_server(port: int | None, status: Callable[[], RunStatus]) -> Iterator[str]:
    """Yield where the metrics are, "" where no port is set. `status` is asked at each scrape. Raises PortTaken."""
    if port is None:
        yield ""
        return
    try:
        server, thread = start_http_server(port, LOOPBACK, registry(status, OF_LOADERS))
    except OSError as error:
        raise PortTaken(f"load.metrics_port = {port} cannot be used on {LOOPBACK}: {error.strerror}; set another") from None
    try:
        yield f"http://{LOOPBACK}:{port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
