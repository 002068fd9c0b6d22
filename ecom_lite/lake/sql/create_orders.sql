-- Each order as its newest version has it. Versions are only ever added; few orders have several, so what they replace is a small set.
CREATE VIEW IF NOT EXISTS lake.orders AS
SELECT v.* EXCLUDE (replaces)
FROM lake.order_versions v
LEFT JOIN (SELECT order_id, max(load_xid) AS newest FROM lake.order_versions WHERE replaces GROUP BY order_id) r USING (order_id)
WHERE r.newest IS NULL OR v.load_xid = r.newest
