"""A network client for kafka-python whose TLS handshakes end: version 3.0 waits for ever for who accepts and says nothing."""

from __future__ import annotations

import ssl
import time
from contextlib import ExitStack
from typing import Any

from kafka.errors import KafkaConnectionError, KafkaTimeoutError
from kafka.net.compat import KafkaNetClient
from kafka.net.inet import create_connection
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaSSLTransport


class TlsFailedError(KafkaTimeoutError):  # type: ignore[misc]
    """No broker could be asked in time, and one that accepts connections makes no TLS with us: the argument says why."""


class NetClient(KafkaNetClient):  # type: ignore[misc]
    """To be given as `kafka_client` to a KafkaProducer, KafkaConsumer or KafkaAdminClient that speaks TLS.

    The limit is that of the whole connection: what is left of `bootstrap_timeout_ms` for the first one, and
    `socket_connection_setup_timeout_ms` (10 s) for each later one, which then fails as one that is refused.
    """

    def __init__(self, **config: Any) -> None:
        net = NetworkSelector(**config)
        super().__init__(net, _Manager(net, **config))


class _Manager(KafkaConnectionManager):  # type: ignore[misc]
    """The library's, but for the limit; and it remembers why no TLS came about, which the library tells its log only."""

    _failed = ""  # why the last handshake failed; empty once one has come about

    async def _do_bootstrap(self, deadline: float | None) -> Any:
        try:
            return await super()._do_bootstrap(deadline)
        except KafkaTimeoutError as error:
            if self._failed:
                raise TlsFailedError(self._failed) from error
            raise

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> KafkaSSLTransport:
        began, config = time.monotonic(), self.config
        sock = await create_connection(
            self._net, node.host, node.port, config["socket_options"], proxy_url=config["proxy_url"], timeout_at=timeout_at
        )
        options = {name: value for name, value in config.items() if name.startswith("ssl_")}
        transport = _Transport(self._net, sock, host=node.host, **options)
        transport.timeout_at = timeout_at
        with ExitStack() as stack:
            stack.callback(transport.close)
            try:
                await transport.handshake()
            except Exception as error:
                self._failed = str(error)
                if isinstance(error, KafkaTimeoutError) and timeout_at is not None:
                    self._failed = f"no answer within {round(timeout_at - began, 1):g} s"
                raise KafkaConnectionError(f"Handshake failed: {self._failed}") from error
            self._failed = ""
            stack.pop_all()
        return transport


class _Transport(KafkaSSLTransport):  # type: ignore[misc]
    timeout_at: float | None = None

    async def handshake(self) -> None:
        while True:
            try:
                self._sock.do_handshake()
                return
            except ssl.SSLWantReadError:
                await self._net.wait_read(self._sock, timeout_at=self.timeout_at)
            except ssl.SSLWantWriteError:
                await self._net.wait_write(self._sock, timeout_at=self.timeout_at)
