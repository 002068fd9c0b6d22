"""A question in one go: `ecom_lite sql "SELECT ..."`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import QueryError, TookTooLong, WarehouseLost
from ..settings.data_dir import LAKE
from .answer import Told, Wish, answer, parquet_draft

if TYPE_CHECKING:
    from ..settings.tree import Settings
    from ..warehouse.connect import Address
    from .warm import Warm


def has_lake(settings: Settings) -> bool:
    """Whether Spark has written raw events as Parquet."""
    return any((settings.data_dir / LAKE).glob("**/*.parquet"))


def ask_once(address: Address, settings: Settings, warm: Warm, statement: str, wish: Wish, timeout_s: float) -> Told:
    """Ask the one statement and show its answer. Raises QueryError, with near names; UsageError, OSError."""
    prepared = warm.taken()
    from .session import Session

    with parquet_draft(wish) as draft:
        session = Session(address, settings.data_dir / LAKE, timeout_s=timeout_s, output=draft, prepared=prepared)
        try:
            return answer(session, statement, wish)
        except TookTooLong as error:
            raise TookTooLong(f"{error} (--timeout {timeout_s * 4:g})") from None
        except WarehouseLost as error:
            raise WarehouseLost(f"{error}; `ecom_lite status` says what runs") from None
        except QueryError as error:
            raise QueryError(_with_near_names(str(error), statement, address)) from None
        finally:
            session.close()


def _with_near_names(said: str, statement: str, address: Address) -> str:
    from .catalogue import read_catalogue
    from .near import explained

    return explained(said, statement, lambda: read_catalogue(address))
