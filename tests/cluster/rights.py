"""The rights that docs/cluster.md writes down, as they stand there: what the tests grant is that, and no more."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kafka.admin import ACL, ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourcePattern, ResourceType

PAGE: Final = Path(__file__).parents[2] / "docs" / "cluster.md"
OPERATIONS: Final = {
    "All": ACLOperation.ALL, "Read": ACLOperation.READ, "Write": ACLOperation.WRITE, "Create": ACLOperation.CREATE,
    "Delete": ACLOperation.DELETE, "Alter": ACLOperation.ALTER, "Describe": ACLOperation.DESCRIBE,
    "DescribeConfigs": ACLOperation.DESCRIBE_CONFIGS, "ClusterAction": ACLOperation.CLUSTER_ACTION,
    "IdempotentWrite": ACLOperation.IDEMPOTENT_WRITE,
}  # fmt: skip
RESOURCES: Final = {
    "topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "transactional_id": ResourceType.TRANSACTIONAL_ID,
}  # fmt: skip


def block(language: str, number: int = 0) -> str:
    """The `number`-th code block of the page in that language."""
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return found[number]


def statements() -> list[str]:
    """The SQL, a statement each."""
    text = re.sub(r"--.*", "", block("sql"))
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def acls() -> list[ACL]:
    """Of the lines for kafka-acls."""
    lines = block("sh").replace("\\\n", " ").splitlines()
    return [acl for line in lines if line.startswith("kafka-acls") for acl in _acls(shlex.split(line)[1:])]


def _acls(arguments: list[str]) -> Iterator[ACL]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    for name in ("--bootstrap-server", "--command-config"):
        parser.add_argument(name)
    parser.add_argument("--add", action="store_true", required=True)
    parser.add_argument("--allow-principal", required=True)
    parser.add_argument("--operation", action="append", required=True)
    parser.add_argument("--resource-pattern-type", choices=["literal", "prefixed"], default="literal")
    for name in ("--topic", "--group", "--transactional-id"):
        parser.add_argument(name)
    line = parser.parse_args(arguments)
    pattern = ACLResourcePatternType[line.resource_pattern_type.upper()]
    for kind, resource in RESOURCES.items():
        if (name := getattr(line, kind)) is not None:
            for operation in line.operation:
                where = ResourcePattern(resource, name, pattern)
                yield ACL(line.allow_principal, "*", OPERATIONS[operation], ACLPermissionType.ALLOW, where)
