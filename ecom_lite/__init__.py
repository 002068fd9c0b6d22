"""A complete real-time e-commerce sales warehouse on a laptop."""

__version__ = "0.1.0"
