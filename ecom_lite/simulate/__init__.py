"""What a shop does: pure functions of seed, settings, sequence number and time. No I/O, no global random."""

from .campaigns import Campaign, changed, read_campaigns
from .faults import Faults
from .malformed import MALFORMED, Malformed
from .outgoing import Outgoing, identity, order_of
from .shop import Shop
from .timetable import Timetable

__all__ = [
    "MALFORMED", "Campaign", "Faults", "Malformed", "Outgoing", "Shop", "Timetable", "changed", "identity", "order_of",
    "read_campaigns",
]  # fmt: skip
