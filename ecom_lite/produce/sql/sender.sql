-- Who sends for the shop, or did so last; and whether its lock is held (by anybody, here and now).
SELECT
    token, host, pid, since, active,
    EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND granted
            AND classid = %(key)s AND objid = hashtext(shop)::bigint & 4294967295 AND objsubid = 2
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) AS held
FROM ops.shop_senders
WHERE shop = %(shop)s
