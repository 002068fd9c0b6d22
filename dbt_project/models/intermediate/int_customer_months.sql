{{ config(
    unique_key=['user_key', 'month'],
    indexes=[{'columns': ['user_key', 'month'], 'unique': true}],
) }}

{{ sums_by(['user_key', 'month']) }}
