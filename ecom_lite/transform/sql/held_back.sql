-- Since when facts wait although the cut was taken now, and whose transaction it stands at: the oldest open one that has an id, of
-- any database of the server. How old it is only its own role may see; the facts behind it tell.
SELECT waiting.since, holder.*
FROM (SELECT (%(cut)s - ops.load_order_base())::text::xid8::xid AS id) oldest
CROSS JOIN LATERAL (
    SELECT a.pid, a.usename::text AS role, a.application_name::text AS what, a.datname::text AS place
    FROM pg_stat_activity a WHERE a.backend_xid = oldest.id
    UNION ALL
    SELECT NULL, p.owner::text, p.gid, p.database::text FROM pg_prepared_xacts p WHERE p.transaction = oldest.id
) holder
CROSS JOIN LATERAL (  -- only looked for where somebody holds the cut
    SELECT min(f.loaded_at) AS since FROM warehouse.fact_sales f WHERE f.load_xid >= %(cut)s AND holder.role IS NOT NULL
) waiting
WHERE waiting.since < now() - make_interval(secs => %(patience_s)s)
LIMIT 1
