"""How the servers of a run are reached: ours once they are up, those that the settings name, or a live run's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import EcomLiteError
from ..live.state import read_state
from ..settings.libpq import forget_variables
from ..warehouse.connect import Address
from ..warehouse.passwords import load_passwords, shared_passwords

if TYPE_CHECKING:
    from ..engines.kafka import KafkaServer
    from ..engines.postgres import PostgresServer
    from ..settings.tree import Kafka, Settings


@dataclass(frozen=True)
class Reach:
    """The warehouse's address, and the broker's: `bootstrap` is "host:port,...", `kafka` has topic and login."""

    address: Address
    bootstrap: str
    kafka: Kafka
    further: Sequence[str] = ()  # the topics beside kafka.topic

    @property
    def topics(self) -> list[str]:
        return [self.kafka.topic, *self.further]

    @property
    def client(self) -> dict[str, Any]:
        """kafka-python's settings for this broker."""
        from ..topic.client import client_config

        return client_config(self.kafka, self.bootstrap)

    def end_offsets(self) -> Mapping[tuple[str, int], int]:
        """The broker's end of each partition of each topic, now. Raises EcomLiteError."""
        from ..topic.client import ends_of

        return ends_of(self.client, self.topics)

    def shown(self) -> dict[str, str]:
        """For people: no password."""
        return {
            "kafka": f"{self.bootstrap}, topic{'s' if self.further else ''} {', '.join(self.topics)}",
            "postgres": self.address.place,
        }


def reach_of(settings: Settings, kafka: KafkaServer | None = None, postgres: PostgresServer | None = None) -> Reach:
    """Our servers, which must be up, where they are given; else the ones that the settings name."""
    bootstrap = settings.kafka.bootstrap if kafka is None else kafka.bootstrap
    return Reach(address_of(settings, postgres), bootstrap, settings.kafka, settings.topics[1:])


def address_of(settings: Settings, postgres: PostgresServer | None) -> Address:
    """The warehouse on our server, which must be up, where it is given; else at postgres.url."""
    if postgres is None:
        return named_address(settings)
    return Address(
        postgres.host, postgres.port, settings.postgres.database, "postgres", postgres.superuser_password,
        load_passwords(settings.data_dir),
    )  # fmt: skip


def named_address(settings: Settings) -> Address:
    """The warehouse at postgres.url."""
    return Address.from_url(settings.postgres.url.get_secret_value(), shared_passwords(settings))


def live_reach(settings: Settings) -> Reach:
    """The servers of the live run in the data folder. Raises EcomLiteError while it is still starting."""
    state = read_state(settings.data_dir)
    if state is None or state.postgres is None:
        raise EcomLiteError(f"the run in {settings.data_dir} is still starting: wait until `ecom_lite status` says running")
    if settings.postgres.url.get_secret_value():
        address = named_address(settings)
    else:
        forget_variables()
        passwords = load_passwords(settings.data_dir)
        where = state.postgres
        address = Address(where.host, where.port, where.database, "postgres", "", passwords)
    return Reach(address, state.bootstrap, settings.kafka, settings.topics[1:])
