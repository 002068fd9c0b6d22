INSERT INTO ops.shops AS shop (shop, next_sequence)
VALUES (%(shop)s, %(next_sequence)s)
ON CONFLICT (shop) DO UPDATE
SET next_sequence = excluded.next_sequence, updated_at = now()
WHERE shop.next_sequence <= excluded.next_sequence
