"""How long this process waits for a server that does not answer: a machine that has stood still is no server that is away."""

from __future__ import annotations

from ecom_lite.warehouse import connect, duck

from .runs import DEADLINE_S


def connect_patiently() -> None:
    """To PostgreSQL: a pause of the machine would use up the five seconds of the product, which its own commands still have."""
    for module in (connect, duck):
        vars(module)["CONNECT_TIMEOUT_S"] = round(DEADLINE_S)
