{{ config(
    unique_key=['product_key', 'kind', 'reason'],
    indexes=[{'columns': ['product_key', 'kind', 'reason'], 'unique': true}],
) }}

with new_returns as (
    select product_key, kind, reason, count(*) as returns, sum(units) as units, coalesce(sum(amount), 0) as amount
    from {{ ref('int_returns') }}
    where units > 0 and {{ is_new('booked_xid') }}
    group by product_key, kind, reason
)

select
    product_key,
    kind,
    reason,
    ({{ added('returns', 'new_returns') }})::bigint as returns,
    ({{ added('units', 'new_returns') }})::bigint as units,
    {{ money(added('amount', 'new_returns')) }} as amount
from new_returns
{%- if is_incremental() %}
left join {{ this }} as present using (product_key, kind, reason)
{%- endif %}
