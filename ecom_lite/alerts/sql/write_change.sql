WITH change AS (
    INSERT INTO ops.alert_changes (at, rule, title, severity, before, after, since, value, unit, told, what_to_do, board)
    VALUES (%(at)s, %(rule)s, %(title)s, %(severity)s, %(before)s, %(after)s, %(since)s, %(value)s, %(unit)s, %(told)s, %(what_to_do)s, %(board)s)
    RETURNING change_id
), waiting AS (
    INSERT INTO ops.alert_outbox (outlet, change_id, not_before)
    SELECT outlet, change_id, %(at)s FROM change, unnest(%(outlets)s::text[]) AS outlet
)
SELECT change_id FROM change
