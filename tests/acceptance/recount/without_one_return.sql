DELETE FROM records WHERE (order_id, product_id, kind) IN (
    SELECT (order_id, product_id, kind) FROM came_back
    WHERE problem IS NULL AND amount > 0 AND order_id NOT LIKE 'till-%'
    ORDER BY ALL LIMIT 1
)
