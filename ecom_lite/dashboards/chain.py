"""The run as a picture of its chain, which static/chain.js draws: its parts, what flows between them, the count that closes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..observe.figures import DbtFigures
from ..observe.status import PartStatus, RunStatus

GOOD_DBT: Final = ("success", "selected")
# A node's state: ok, warn (it lives, and there is something to see), bad, busy (on its way), off (not of this run, or idle).
BUSY: Final = frozenset({"waiting", "starting", "restarting", "stopping", "stopped"})  # with its run, as asked

Json = dict[str, Any]


def chain(status: RunStatus) -> Json:
    """Nodes, edges and the count; figures are numbers, which the page formats by their `unit`."""
    return {"nodes": _nodes(status), "edges": _edges(status), "count": count(status)}


def count(status: RunStatus) -> Json:
    """Both sides of the count, of all runs on this data folder. It closes when nothing is on the way; `ecom_lite check` takes it
    exactly, and from the broker's own offsets."""
    others = max(0, status.records - status.own)
    open_ = status.sent - status.own - status.lost
    return {
        "sent": status.sent,
        "others": others,
        "facts": status.facts,
        "other": status.other,
        "duplicates": status.duplicates,
        "dead": status.dead,
        "lost": status.lost,
        "on_the_way": max(0, open_),
        "held": status.held,
        "lag": status.lag,
        "closes": open_ <= 0 and status.lag == 0,
    }


def _nodes(status: RunStatus) -> list[Json]:
    parts, dbt = status.parts, status.dbt
    nodes = [_shop(status)]
    nodes.append(_node("kafka", "Kafka", _of(parts, "kafka"), status.lag, "waiting", elsewhere=True))
    if "stream" in parts:
        stream = status.stream
        spark = _node("spark", "Spark", _of(parts, "spark", "stream"), stream and stream.batch_ms, "ms a batch")
        nodes.append(spark)
    nodes.append(_node("load", "Loader", status.loaders, status.delay_ms, "ms from shop to fact"))
    nodes.append(_node("warehouse", "Warehouse", _of(parts, "postgres"), status.facts, "order lines", elsewhere=True))
    dead: Json = {"id": "dead", "title": "Dead letters", "state": "warn" if status.dead else "off", "detail": "", "restarts": 0}
    nodes.append({**dead, "value": status.dead, "unit": "kept with their reason", "log": ""})
    nodes.append(_marts(status, dbt))
    nodes.append(_node("boards", "Boards", _of(parts, "page", "grafana"), None, ""))
    return nodes


def _shop(status: RunStatus) -> Json:
    if "produce" not in status.parts:
        state, others = "ok" if status.records else "off", max(0, status.records - status.own)
        yours = _node("shop", "Your events", {}, others, "records so far")
        return yours | {"state": state, "detail": "no simulated shop"}
    node = _node("shop", "Shop", _of(status.parts, "produce"), status.sent, "events sent")
    if node["state"] == "ok" and status.paused:
        node |= {"state": "warn", "detail": "paused"}
    elif node["state"] == "ok" and status.room.scarce:
        node |= {"state": "warn", "detail": "paused: the disk is nearly full"}
    elif node["state"] == "ok" and status.faults:
        node |= {"state": "warn", "detail": "faults are on"}
    elif node["state"] == "ok" and status.campaigns:
        node |= {"detail": "; ".join(f"{name} {share:.0%} off" for name, share in status.campaigns.items())}
    return node


def _marts(status: RunStatus, dbt: DbtFigures | None) -> Json:
    seconds, runs = dbt and dbt.seconds, dbt is not None and dbt.status == "running"
    unit = "" if seconds is None else "s until now" if runs else "s the last run"
    node = _node("marts", "dbt marts", _of(status.parts, "schedule"), seconds, unit)
    if dbt is None:
        return node | {"state": "off" if node["state"] == "ok" else node["state"], "detail": "built after the first facts"}
    if node["state"] == "ok" and runs:
        return node | {"state": "busy", "detail": "building"}
    if node["state"] == "ok" and dbt.status not in GOOD_DBT:
        return node | {"state": "bad", "detail": (dbt.message or dbt.status).splitlines()[0]}
    return node


def _edges(status: RunStatus) -> list[Json]:
    stream, dbt = status.stream, status.dbt
    edges = [
        _edge("shop", "kafka", rate=status.sent_per_s),
        _edge("kafka", "load", rate=status.loaded_per_s, lag=status.lag),
        _edge("load", "warehouse", rate=status.loaded_per_s, delay_ms=status.delay_ms),
        _edge("load", "dead"),
        _edge("warehouse", "marts", at=dbt and dbt.succeeded_at),
        _edge("marts", "boards"),
    ]
    if "stream" in status.parts:
        rate = None if stream is None else round(stream.rows_per_s)
        edges.append(_edge("kafka", "spark", rate=rate))
        edges.append(_edge("spark", "warehouse", watermark_s=None if stream is None else stream.watermark_lag_s))
    return edges


def _edge(start: str, end: str, **figures: object) -> Json:
    return {"from": start, "to": end, **{name: figure for name, figure in figures.items() if figure is not None}}


def _node(id_: str, title: str, parts: Mapping[str, PartStatus], value: object, unit: str, *, elsewhere: bool = False) -> Json:
    """The state of the worst of its parts; `elsewhere` where having none means that the settings name a server of yours."""
    detail = "; ".join(
        f"{name}: {part.detail or part.state}" if len(parts) > 1 else part.detail or part.state
        for name, part in parts.items()
        if not part.ok
    )
    return {
        "id": id_,
        "title": title,
        "state": _state(parts.values()) if parts else "off",
        "detail": detail or ("your own server" if elsewhere and not parts else ""),
        "restarts": sum(part.restarts for part in parts.values()),
        "value": value,
        "unit": unit,
        "log": next(iter(parts), ""),
    }


def _state(parts: Iterable[PartStatus]) -> str:
    each = list(parts)
    if all(part.ok for part in each):
        return "ok"
    return "busy" if all(part.ok or part.state in BUSY for part in each) else "bad"


def _of(parts: Mapping[str, PartStatus], *names: str) -> dict[str, PartStatus]:
    return {name: parts[name] for name in names if name in parts}
