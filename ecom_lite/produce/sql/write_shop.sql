INSERT INTO ops.shops AS shop (shop, next_sequence, episodes)
VALUES (%(shop)s, %(next_sequence)s, %(episodes)s)
ON CONFLICT (shop) DO UPDATE
SET next_sequence = excluded.next_sequence, episodes = excluded.episodes, updated_at = now()
WHERE shop.next_sequence <= excluded.next_sequence
