"""simulate -> Kafka, paced; and the ledger of what was sent."""

from .producer import Producer

__all__ = ["Producer"]
