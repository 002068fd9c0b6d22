-- A rule that is there no more is over; where it fired, the outlets hear so.
WITH gone AS (
    DELETE FROM ops.alerts WHERE rule <> ALL(%(known)s) RETURNING *
), change AS (
    INSERT INTO ops.alert_changes (at, rule, title, severity, before, after, since, value, unit, told, what_to_do, board)
    SELECT %(now)s, rule, title, severity, state, %(removed)s, since, value, unit, 'the rule is there no more', what_to_do, board FROM gone
    RETURNING change_id, before
)
INSERT INTO ops.alert_outbox (outlet, change_id, not_before)
SELECT outlet, change_id, %(now)s FROM change, unnest(%(outlets)s::text[]) AS outlet WHERE before = 'firing'
