"""Three Kafka nodes as a company would run them: TLS everywhere, log-in by SCRAM-SHA-512, and nothing allowed but by an ACL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import run
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.admin import ACL, ScramMechanism, UserScramCredentialUpsertion

from ecom_lite.engines.child import Child
from ecom_lite.engines.kafka import JVM_FLAGS, LOG_SETTINGS
from ecom_lite.engines.kafka_storage import new_cluster_id
from ecom_lite.engines.ports import free_port
from tests.cluster.certificates import Authority
from tests.runs import wait_for

NODES: Final = 3
HEAP: Final = ("-Xms64m", "-Xmx224m")
ADMIN: Final = "cluster-admin"
NODE: Final = "broker"  # the name in the nodes' certificate
MECHANISM: Final = "SCRAM-SHA-512"
START_S: Final = 120.0
UP_MS: Final = 60_000  # nodes that are up answer within that on a busy machine, too

# Clients log in by SCRAM; the nodes know each other by their certificate.
SETTINGS: Final = """\
process.roles=broker,controller
node.id={node}
listeners=CLIENT://{host}:{client},BROKER://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=CLIENT://{host}:{client},BROKER://{host}:{broker}
listener.security.protocol.map=CLIENT:SASL_SSL,BROKER:SSL,CONTROLLER:SSL
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
controller.quorum.voters={voters}
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.broker.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:CN=broker;User:cluster-admin
auto.create.topics.enable=false
num.partitions=4
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
transaction.state.log.num.partitions=3
log.dirs=storage
log.cleaner.dedupe.buffer.size=16777216
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
num.replica.fetchers=1
broker.session.timeout.ms=6000
"""


class Brokers:
    """The nodes 1 to 3, each a JVM; `bootstrap` names all three."""

    def __init__(self, folder: Path, java: Path, classpath: Sequence[Path], authority: Authority, host: str) -> None:
        self._folder, self._java, self._host = folder, java, host
        self._classpath = os.pathsep.join(map(str, classpath))
        self._authority = authority
        self._ports = [(free_port(host), free_port(host), free_port(host)) for _ in range(NODES)]
        self._password = secrets.token_urlsafe(12)
        self.nodes = [self._child(node) for node in range(1, NODES + 1)]

    @property
    def bootstrap(self) -> str:
        return ",".join(f"{self._host}:{client}" for client, _, _ in self._ports)

    def client(self, user: str, password: str) -> dict[str, Any]:
        """What kafka-python is given to log in."""
        return {
            "bootstrap_servers": self.bootstrap.split(","), "security_protocol": "SASL_SSL", "sasl_mechanism": MECHANISM,
            "sasl_plain_username": user, "sasl_plain_password": password, "ssl_cafile": str(self._authority.file),
        }  # fmt: skip

    def admin(self, up_ms: int = UP_MS) -> KafkaAdminClient:
        return KafkaAdminClient(**self.client(ADMIN, self._password), bootstrap_timeout_ms=up_ms, request_timeout_ms=UP_MS)

    def start(self) -> None:
        self._format()
        for node in self.nodes:
            node.start()
        self.wait_whole()

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()

    def kill(self, number: int) -> None:
        self.nodes[number - 1].kill()

    def start_again(self, number: int) -> None:
        self.nodes[number - 1].start()

    def wait_whole(self) -> None:
        """Until all three are there and each partition has all its replicas in sync."""
        wait_for(self.in_sync, "three brokers, all replicas in sync", START_S)

    def in_sync(self) -> bool:
        dead = [node for node in self.nodes if not node.alive]
        assert not dead, dead[0].failure("being one of three")
        try:
            admin = self.admin(up_ms=5_000)
        except Exception:  # not up yet: the client raises many kinds
            return False
        try:
            if len(admin.describe_cluster()["brokers"]) < NODES:
                return False
            parts = [part for topic in admin.describe_topics() for part in topic["partitions"]]
            return all(len(part["isr_nodes"]) == NODES for part in parts)
        except Exception:
            return False
        finally:
            admin.close()

    def let_in(self, users: Mapping[str, str], acls: Sequence[ACL]) -> None:
        """Users with their passwords, and what they may do."""
        admin = self.admin()
        try:
            wanted = [
                UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password) for user, password in users.items()
            ]
            refused = {user: why for user, why in admin.alter_user_scram_credentials(wanted).items() if why is not None}
            assert not refused, refused
            made = admin.create_acls(list(acls))
            assert not made["failed"], made
        finally:
            admin.close()

    def _format(self) -> None:
        """The storage of the nodes, with the administrator in it: nobody else could let anybody in."""
        certificate, key = self._authority.sign(NODE, self._host)
        keystore = self._folder / "broker.keystore.pem"
        self._folder.mkdir(parents=True, exist_ok=True)
        keystore.write_text(key.read_text() + certificate.read_text())
        cluster, ports = new_cluster_id(), self._ports
        voters = ",".join(f"{node}@{self._host}:{ports[node - 1][2]}" for node in range(1, NODES + 1))
        for node in range(1, NODES + 1):
            home = self._home(node)
            home.mkdir()
            (home / "log4j2.properties").write_text(LOG_SETTINGS)
            client, broker, controller = ports[node - 1]
            (home / "server.properties").write_text(
                SETTINGS.format(
                    node=node, host=self._host, client=client, broker=broker, controller=controller, voters=voters,
                    keystore=keystore, truststore=self._authority.file,
                )
            )  # fmt: skip
            scram = f"{MECHANISM}=[name={ADMIN},password={self._password}]"
            arguments = ["format", "--cluster-id", cluster, "--config", "server.properties", "--add-scram", scram]
            tool = [*self._command(), "kafka.tools.StorageTool", *arguments]
            run(tool, cwd=home, check=True, capture_output=True, timeout=START_S)

    def _home(self, node: int) -> Path:
        return self._folder / f"node-{node}"

    def _command(self) -> list[str]:
        return [str(self._java), *HEAP, *JVM_FLAGS, "-Dlog4j2.configurationFile=log4j2.properties", "-cp", self._classpath]

    def _child(self, node: int) -> Child:
        home = self._home(node)
        command = [*self._command(), "kafka.Kafka", "server.properties"]
        return Child(f"Kafka node {node}", command, log=home / "kafka.log", cwd=home)
