-- What all facts below a cut add up to, from the kept sums and the facts between the two cuts: the marts' own test need not read all
-- facts. plpgsql because the planner must know both cuts.
CREATE FUNCTION realtime.facts_below(cut bigint, OUT lines bigint, OUT units bigint, OUT revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    kept realtime.rolled;
    first bigint;
    last bigint;
    sign integer;
BEGIN
    SELECT * INTO kept FROM realtime.rolled;
    first := least(cut, kept.load_xid_below);
    last := greatest(cut, kept.load_xid_below);
    sign := CASE WHEN cut >= kept.load_xid_below THEN 1 ELSE -1 END;
    SELECT kept.lines + sign * count(*), kept.units + sign * coalesce(sum(f.quantity), 0), kept.revenue + sign * coalesce(sum(f.revenue), 0)
    INTO lines, units, revenue
    FROM warehouse.sales f WHERE f.load_xid >= first AND f.load_xid < last;
END $$;
COMMENT ON FUNCTION realtime.facts_below(bigint) IS 'Order lines, units and revenue (in the reporting currency) of all facts with a load_xid below a cut; costs what lies between it and the cut of `rolled`.';
GRANT USAGE ON SCHEMA realtime TO ecom_dbt;
GRANT SELECT ON realtime.rolled TO ecom_dbt;
