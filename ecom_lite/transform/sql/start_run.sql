-- The cut: every transaction below the oldest one in progress is finished, so no fact below it can appear later. What the last good run
-- has made with other rates, or by another clock, is made anew: a run of some models must not add to it, either. Where none was good yet
-- one that failed, or took some models, may have made tables so. (One row, whatever was before.)
INSERT INTO ops.dbt_runs (trigger, started_at, status, load_xid_below, rates_version, selected, full_refresh)
SELECT %(trigger)s, now(), 'running', ops.load_order_cut(), r.rates_version, %(selected)s::text[],
       %(full_refresh)s OR coalesce(r.rates_version <> (
           SELECT d.rates_version FROM ops.dbt_runs d WHERE d.status IN ('success', 'tests failed') ORDER BY d.run_id DESC LIMIT 1
       ), EXISTS (SELECT FROM ops.dbt_runs d WHERE d.rates_version <> r.rates_version))
FROM ops.reporting_currency r
RETURNING run_id, load_xid_below, full_refresh, (SELECT decimals FROM ops.reporting_currency) AS decimals;
