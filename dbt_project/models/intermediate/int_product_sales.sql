-- (order_id, product_key) is the grain of the facts, so each line of a product is one order of it.
{{ config(unique_key='product_key', indexes=[{'columns': ['product_key'], 'unique': true}]) }}

{{ sums_by(['product_key']) }}
