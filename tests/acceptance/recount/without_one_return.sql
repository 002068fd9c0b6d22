DELETE FROM records WHERE (order_id, product_id, kind, mark) IN (
    SELECT (order_id, product_id, kind, mark) FROM came_back
    WHERE problem IS NULL AND amount > 0 AND order_id NOT LIKE 'till-%'
    ORDER BY ALL LIMIT 1
)
