INSERT INTO ops.shops AS shop (shop, opened_at, live_from, settings)
VALUES (%(shop)s, %(opened_at)s, %(live_from)s, %(settings)s)
ON CONFLICT (shop) DO UPDATE
SET opened_at = excluded.opened_at, live_from = excluded.live_from, settings = excluded.settings, updated_at = now()
