"""Live sales dashboards: reads grafana/dashboards/*.json once, draws them on a built-in page."""

from .board import Board, Panel
from .boards import load_boards
from .page import Page

__all__ = ["Board", "Page", "Panel", "load_boards"]
