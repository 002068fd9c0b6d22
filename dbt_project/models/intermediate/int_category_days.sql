{{ config(
    unique_key=['category_key', 'date'],
    indexes=[{'columns': ['category_key', 'date'], 'unique': true}],
) }}

{{ sums_by(['category_key', 'date']) }}
