INSERT INTO ops.shop_senders AS sender (shop, token, host, pid)
VALUES (%(shop)s, %(token)s, %(host)s, %(pid)s)
ON CONFLICT (shop) DO UPDATE
SET token = excluded.token, host = excluded.host, pid = excluded.pid, active = true,
    since = CASE WHEN sender.token = excluded.token THEN sender.since ELSE now() END
