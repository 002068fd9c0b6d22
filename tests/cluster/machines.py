"""Machines of a test: network namespaces with a wire to the servers' one, or, where we may not make any, plain processes."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecom_lite.engines.ports import LOOPBACK

CLONE_NEWNET: Final = 0x40000000
NETS: Final = Path("/var/run/netns")


@dataclass(frozen=True)
class Network:
    """`server` is the address at which all reach the servers; `why_not` says why there are no machines but processes."""

    server: str
    names: Sequence[str] = ()
    why_not: str = ""

    def on(self, machine: int) -> list[str]:
        """What stands before a command that is to run on this machine, from 0."""
        return ["ip", "netns", "exec", self.names[machine]] if self.names else []


@contextmanager
def network(machines: int) -> Iterator[Network]:
    """The calling thread, and what it starts, is in a namespace of the servers' own for as long as this lasts.

    All addresses exist only in these namespaces: nothing of this can be reached from outside, nor reach it.
    """
    hub = f"ecl{os.getpid()}"
    names = [f"{hub}m{number}" for number in range(machines)]
    try:
        _make(hub, names)
    except (OSError, subprocess.CalledProcessError) as error:
        _remove(hub, names)
        said = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
        yield Network(LOOPBACK, why_not=f"no network namespaces here: {said}")
        return
    outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _enter(os.open(NETS / hub, os.O_RDONLY))
        yield Network("10.77.0.1", names)
    finally:
        _enter(outside)
        _remove(hub, names)


def _make(hub: str, names: Sequence[str]) -> None:
    _ip("netns", "add", hub)
    _ip("-n", hub, "link", "set", "lo", "up")
    _ip("-n", hub, "link", "add", "hub", "type", "bridge")
    _ip("-n", hub, "addr", "add", "10.77.0.1/24", "dev", "hub")
    _ip("-n", hub, "link", "set", "hub", "up")
    for number, name in enumerate(names):
        wire = f"wire{number}"
        _ip("netns", "add", name)
        _ip("link", "add", wire, "netns", hub, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("-n", hub, "link", "set", wire, "master", "hub", "up")
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "addr", "add", f"10.77.0.{10 + number}/24", "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")


def _remove(hub: str, names: Sequence[str]) -> None:
    for name in (*names, hub):
        subprocess.run(["ip", "netns", "del", name], capture_output=True, timeout=30)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True, timeout=30)


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        if libc.setns(namespace, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(namespace)
