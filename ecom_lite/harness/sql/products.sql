-- Each product shows what the greatest of its lines says: one with a title before one without, then the newest, then the greater texts.
WITH expected AS (
    SELECT product_id, max({'titled': title <> product_id, 'moment': moment, 'title': title, 'category': category}) AS shown
    FROM judged WHERE kind = 'order' GROUP BY product_id
), found AS (
    SELECT product_id, product_title AS title, category
    FROM ecom.warehouse.dim_product LEFT JOIN ecom.warehouse.dim_category USING (category_key)
)
SELECT format('product {}', product_id), concat_ws(', ', e.shown.title, e.shown.category), coalesce(concat_ws(', ', f.title, f.category), 'no row')
FROM expected e LEFT JOIN found f USING (product_id)
WHERE (e.shown.title, e.shown.category) IS DISTINCT FROM (f.title, f.category)
ORDER BY 1
