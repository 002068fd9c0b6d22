-- What is not booked, or in part only: it is in no sum of money.
{{ config(materialized='view') }}

select
    problem,
    kind,
    count(*) as returns,
    sum(quantity - units)::bigint as refused_units,
    min(returned_at) as first_returned_at,
    max(returned_at) as last_returned_at
from {{ ref('int_returns') }}
where problem is not null
group by problem, kind
