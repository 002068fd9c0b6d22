"""What a shop does: pure functions of seed, settings, sequence number and time. No I/O, no global random."""

from .shop import Outgoing, Shop

__all__ = ["Outgoing", "Shop"]
