"""The shop's range: 20 bundled products, and as many further ones as the settings ask for, each made from its index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from ..settings.tree import Shop as ShopSettings
from .draws import LongTail, Shuffle, mix, salt

FIRST_MADE_ID: Final = 1000  # product index i has the id FIRST_MADE_ID + i, unless it is bundled
ENDINGS: Final = (99, 99, 95, 90, 50, 0)  # cents of a made price
_MADE: Final = salt("range")  # no seed: the same product everywhere


class Product(NamedTuple):
    """One article. `price_cents` is the list price; `popularity` is its relative weight among the bundled ones."""

    product_id: int
    title: str
    category: str
    price_cents: int
    popularity: int


class Category(NamedTuple):
    """What the simulator knows about a category; money in whole units of the currency."""

    name: str
    takeback: int  # percent of the shop's average share of cancellations and returns
    lean: int  # when they come back: -1 early, 1 late
    reasons: tuple[str, ...]  # of a return
    low: int  # made prices are from here ...
    high: int  # ... to there, mostly in the lower half
    nouns: tuple[str, ...]


CATEGORIES: Final = (
    Category(
        *("Electronics", 160, 1, ("defective", "not as described", "arrived damaged", "incompatible"), 9, 450),
        ("Headphones", "Charger", "Speaker", "Webcam", "Router", "Power Bank", "Keyboard", "Mouse", "Tablet", "Dash Cam"),
    ),
    Category(
        *("Home & Kitchen", 90, 0, ("arrived damaged", "not as described", "no longer needed"), 6, 220),
        ("Saucepan", "Kettle", "Cushion", "Storage Box", "Table Lamp", "Towel Set", "Toaster", "Mirror", "Rug", "Knife Block"),
    ),
    Category(
        *("Sports & Outdoors", 100, 0, ("does not fit", "not as described", "no longer needed"), 7, 240),
        ("Dumbbells", "Sleeping Bag", "Headlamp", "Jump Rope", "Cycling Helmet", "Daypack", "Climbing Rope", "Foam Roller"),
    ),
    Category(
        *("Books", 40, 0, ("arrived damaged", "no longer needed", "ordered twice"), 5, 45),
        ("Atlas", "Cookbook", "Novel", "Field Guide", "Biography", "Anthology", "Travel Guide", "Puzzle Book", "Handbook"),
    ),
    Category(
        *("Fashion", 220, -1, ("does not fit", "not as described", "another colour wanted"), 9, 140),
        ("T-Shirt", "Jeans", "Jumper", "Rain Jacket", "Scarf", "Dress", "Shirt", "Socks, 5 Pairs", "Belt", "Hoodie"),
    ),
    Category(
        *("Shoes & Bags", 240, -1, ("does not fit", "another colour wanted", "not as described"), 25, 190),
        ("Trainers", "Ankle Boots", "Sandals", "Tote Bag", "Suitcase", "Loafers", "Messenger Bag", "Running Shoes"),
    ),
    Category(
        *("Beauty", 60, -1, ("allergic reaction", "not as described", "arrived damaged"), 4, 70),
        ("Face Cream", "Shampoo", "Lip Balm", "Hair Dryer", "Soap Set", "Nail Kit", "Sun Lotion", "Body Oil"),
    ),
    Category(
        *("Toys & Games", 80, 0, ("part missing", "defective", "no longer needed"), 6, 90),
        ("Building Blocks", "Board Game", "Puzzle", "Plush Bear", "Card Game", "Race Track", "Marble Run", "Doll House"),
    ),
    Category(
        *("Garden", 80, 1, ("arrived damaged", "not as described", "no longer needed"), 5, 180),
        ("Planter", "Hose", "Pruning Shears", "Bird Feeder", "Solar Light", "Rake", "Watering Can", "Parasol"),
    ),
    Category(
        *("Office", 60, 1, ("not as described", "ordered twice", "arrived damaged"), 3, 130),
        ("Notebook Set", "Stapler", "Desk Pad", "Pen Set", "Monitor Stand", "Label Printer", "Whiteboard", "File Box"),
    ),
    Category(
        *("Pets", 50, 0, ("does not fit", "not accepted by the pet", "arrived damaged"), 4, 90),
        ("Cat Tree", "Dog Bed", "Leash", "Feeding Bowl", "Chew Toy", "Aquarium Filter", "Litter Box", "Carrier"),
    ),
    Category(
        *("Grocery", 20, -1, ("arrived damaged", "past its date", "ordered twice"), 2, 30),
        ("Coffee Beans", "Olive Oil", "Green Tea", "Dark Chocolate", "Pasta, 6 Packs", "Almonds", "Honey", "Oat Bars"),
    ),
)
MAKERS: Final = (
    *("Alder", "Brightwell", "Corvo", "Dunmore", "Elstree", "Fjordline", "Granby", "Halden", "Isarwerk", "Juniper"),
    *("Kestrel", "Lindqvist", "Marlowe", "Norvik", "Oakham", "Pinewood", "Quayside", "Rivera", "Solveig", "Tamarin"),
)
STYLES: Final = (
    "Classic",
    "Compact",
    "Everyday",
    "Light",
    "Nordic",
    "Original",
    "Plus",
    "Pro",
    "Slim",
    "Soft",
    "Urban",
    "Vintage",
)

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
BUNDLED_CATEGORIES: Final = 4  # they take turns in PRODUCTS, as all of them do in what is made


class Catalogue:
    """The products of a shop by their index, 0 .. size - 1. Nothing is made before it is asked for."""

    def __init__(self, settings: ShopSettings) -> None:
        self.size = settings.products
        bundled = self.size <= len(PRODUCTS)
        turn = self.categories = BUNDLED_CATEGORIES if bundled else len(CATEGORIES)
        # What goes with product i: the next two and the last of its category, and one of the partner category.
        self.relations = (turn, -turn, 2 * turn, 1)
        if bundled:
            self._drawn = [index for index in range(self.size) for _ in range(PRODUCTS[index].popularity)]
            self.popular: Callable[[int], int] = self._bundled
        else:
            self.tail = LongTail(self.size, settings.product_tail)
            # Popularity is spread over the range, so that every category has its bestsellers.
            self.ranking = Shuffle(self.size, salt(f"ranking {settings.seed}"))
            self.popular = self.tail.draw(self.ranking)

    def category(self, index: int) -> int:
        """Its place in CATEGORIES."""
        return index % BUNDLED_CATEGORIES if index < len(PRODUCTS) else index % len(CATEGORIES)

    def _bundled(self, word: int) -> int:
        return self._drawn[word * len(self._drawn) >> 32]


def product(index: int) -> Product:
    """Product `index` of any range: bundled, or made of its category's words."""
    if index < len(PRODUCTS):
        return PRODUCTS[index]
    category = CATEGORIES[index % len(CATEGORIES)]
    bits = mix(_MADE, index)
    # Counting through makers, styles and nouns gives each product of a category its own title; then come series.
    rest, maker = divmod(index // len(CATEGORIES), len(MAKERS))
    rest, style = divmod(rest, len(STYLES))
    series, noun = divmod(rest, len(category.nouns))
    style, noun = (style + 5 * maker + index) % len(STYLES), (noun + maker + style) % len(category.nouns)
    title = f"{MAKERS[maker]} {STYLES[style]} {category.nouns[noun]}" + (f" {series + 1}" if series else "")
    span = (category.high - category.low) * 100
    cents = category.low * 100 + span * (bits & 0xFFFF) * (bits >> 16 & 0xFFFF) // 2**32  # two draws: cheap ones are common
    return Product(product_id(index), title, category.name, cents // 100 * 100 + ENDINGS[(bits >> 32) % len(ENDINGS)], 1)


def product_id(index: int) -> int:
    """The id of product `index`, without making the product."""
    return PRODUCTS[index].product_id if index < len(PRODUCTS) else FIRST_MADE_ID + index
