"""Facts by load order -> sums over all facts, so that a figure costs what is new."""

from .rollups import Rollups

__all__ = ["Rollups"]
