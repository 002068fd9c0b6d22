SELECT next_sequence, opened_at, live_from, settings, episodes
FROM ops.shops
WHERE shop = %(shop)s
