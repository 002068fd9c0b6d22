-- A place and day that a later change of address has emptied is not one.
{{ config(materialized='view') }}

select
    date,
    country,
    city,
    lines,
    units,
    gross,
    discounts,
    revenue,
    returned_units,
    returns,
    {{ money('revenue - returns') }} as net
from {{ ref('int_place_days') }}
where lines > 0 or returned_units > 0
