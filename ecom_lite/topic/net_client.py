"""The network below each Kafka client of ours: kafka-python's, but for two things that version 3.0 leaves out.

A TLS handshake has a time limit; without one a client waits for ever for who accepts connections and says nothing. And a
client that cannot be made, as nobody answers in time, leaves neither its thread nor its sockets behind."""

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
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport


class TlsFailedError(KafkaTimeoutError):  # type: ignore[misc]
    """No broker could be asked in time, and one that accepts connections makes no TLS with us: the argument says why."""


class NetClient(KafkaNetClient):  # type: ignore[misc]
    """To be given as `kafka_client` to a KafkaProducer, KafkaConsumer or KafkaAdminClient.

    A handshake's limit is that of the whole connection: what is left of `bootstrap_timeout_ms` for the first one, and
    `socket_connection_setup_timeout_ms` (10 s) for each later one, which then fails as one that is refused.
    """

    def __init__(self, **config: Any) -> None:
        net = NetworkSelector(**config)
        super().__init__(net, _Manager(net, **config))


class _Manager(KafkaConnectionManager):  # type: ignore[misc]
    """Remembers why no TLS came about, too, which the library tells its log only."""

    _failed = ""  # why the last handshake failed; empty once one has come about

    def bootstrap(self, *arguments: Any, **named: Any) -> None:
        """What a client does while it is made; whose making fails has no `close` that anybody could call."""
        try:
            super().bootstrap(*arguments, **named)
        except Exception:
            self.close()
            self._net.close()
            raise

    async def _do_bootstrap(self, deadline: float | None) -> Any:
        try:
            return await super()._do_bootstrap(deadline)
        except KafkaTimeoutError as error:
            if self._failed:
                raise TlsFailedError(self._failed) from error
            raise

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> KafkaTCPTransport:
        if not self.ssl_enabled:
            return await super()._build_transport(node, timeout_at=timeout_at)
        began, config = time.monotonic(), self.config
        sock = await create_connection(
            self._net, node.host, node.port, config["socket_options"], proxy_url=config["proxy_url"], timeout_at=timeout_at
        )
        options = {name: value for name, value in config.items() if name.startswith("ssl_")}
        with ExitStack() as stack:
            stack.callback(sock.close)
            transport = _Transport(self._net, sock, host=node.host, **options)
            stack.callback(transport.close)
            transport.timeout_at = timeout_at
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
