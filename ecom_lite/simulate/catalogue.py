"""The shop's range: 20 products in 4 categories, bundled, with prices in cents."""

from __future__ import annotations

from typing import Final, NamedTuple


class Product(NamedTuple):
    """One article. `price_cents` is the unit price; `popularity` is its relative weight in baskets."""

    product_id: int
    title: str
    category: str
    price_cents: int
    popularity: int


# The first n make a smaller shop (`shop.products`), so the categories take turns.
PRODUCTS: Final[tuple[Product, ...]] = (
    Product(101, "Wireless Earbuds", "Electronics", 5999, 9),
    Product(201, "Cast Iron Skillet 28 cm", "Home & Kitchen", 3450, 6),
    Product(301, "Yoga Mat 6 mm", "Sports & Outdoors", 2499, 7),
    Product(401, "The Data Engineer's Notebook", "Books", 3995, 5),
    Product(102, "USB-C Charger 65 W", "Electronics", 3490, 8),
    Product(202, "Pour-Over Coffee Set", "Home & Kitchen", 2995, 5),
    Product(302, "Insulated Bottle 750 ml", "Sports & Outdoors", 1995, 8),
    Product(402, "A Short History of Maps", "Books", 1850, 4),
    Product(103, "Mechanical Keyboard", "Electronics", 10900, 4),
    Product(203, "Linen Bed Sheet Set", "Home & Kitchen", 8900, 3),
    Product(303, "Trail Running Backpack", "Sports & Outdoors", 7495, 3),
    Product(403, "Weeknight Cooking", "Books", 2790, 6),
    Product(104, "4K Monitor 27 inch", "Electronics", 32900, 2),
    Product(204, "Cordless Vacuum Cleaner", "Home & Kitchen", 24900, 2),
    Product(304, "Two-Person Tent", "Sports & Outdoors", 18950, 2),
    Product(404, "Night Train to Trieste", "Books", 1299, 7),
    Product(105, "Smart Plug, 4 Pack", "Electronics", 3299, 5),
    Product(205, "Desk Lamp with Dimmer", "Home & Kitchen", 4575, 4),
    Product(305, "Resistance Band Set", "Sports & Outdoors", 1649, 6),
    Product(405, "Chess Openings Explained", "Books", 2225, 3),
)


def money(cents: int) -> str:
    """Cents as decimal text with two places, `1995` -> `19.95`: exact, and a JSON number as it stands."""
    return f"{cents // 100}.{cents % 100:02d}"
