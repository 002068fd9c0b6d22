"""A tiny shop: three products, a till, and the producer that tells Kafka what was sold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from kafka import KafkaProducer

PRODUCTS = {
    1: ("Espresso cups, set of 4", "Kitchen", Decimal("24.50")),
    2: ("Moka pot", "Kitchen", Decimal("39.00")),
    3: ("Beans, 1 kg", "Coffee", Decimal("18.90")),
}


class Till:
    """Sells, and sends one event for each line of an order. `close` blocks until the broker has them all."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        self._producer = KafkaProducer(bootstrap_servers=bootstrap, value_serializer=lambda event: json.dumps(event).encode())

    def sell(self, order_id: str, customer: int, cart: Mapping[int, int], discount: Decimal = Decimal(0)) -> None:
        """`cart` says how many of each product. A discount is taken off each price, as a part of it: Decimal("0.10")."""
        for product, quantity in cart.items():
            title, category, price = PRODUCTS[product]
            paid = (price * (1 - discount)).quantize(Decimal("0.01"))
            event = {
                "order_id": order_id,
                "user_id": customer,
                "product_id": product,
                "product_title": title,
                "category": category,
                "price": float(paid),
                "quantity": quantity,
                "revenue": float(paid * quantity),
                "timestamp": datetime.now(UTC).isoformat(),
            }
            self._producer.send(self._topic, event, key=str(customer).encode())

    def close(self) -> None:
        self._producer.flush()
        self._producer.close()
