-- Whether there are facts in another currency than the reporting one: only those since the last good run are looked at.
UPDATE ops.reporting_currency r SET other_currencies = true
WHERE NOT r.other_currencies AND EXISTS (
    SELECT FROM warehouse.fact_sales f
    WHERE f.load_xid >= %(taken)s AND f.load_xid < %(below)s AND f.currency <> r.currency
)
