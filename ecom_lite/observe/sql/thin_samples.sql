-- Of each minute that is old enough the first sample stays, with the highest delays of the minute; of what is older still, none.
WITH old AS (
    SELECT at, min(at) OVER (PARTITION BY date_trunc('minute', at)) AS kept, at < now() - make_interval(secs => %(keep_s)s) AS too_old
    FROM ops.health_samples
    WHERE at < date_trunc('minute', now() - make_interval(secs => %(fine_s)s))
), gone AS (
    DELETE FROM ops.health_samples s USING old o
    WHERE s.at = o.at AND (o.too_old OR o.kept < o.at)
    RETURNING o.kept, o.too_old, s.events, s.delay_p50_ms, s.delay_p95_ms, s.delay_p99_ms
), minutes AS (
    SELECT kept, sum(events) AS events, max(delay_p50_ms) AS p50, max(delay_p95_ms) AS p95, max(delay_p99_ms) AS p99
    FROM gone
    GROUP BY kept
    HAVING NOT bool_or(too_old)
)
UPDATE ops.health_samples s
SET events = s.events + m.events, delay_p50_ms = greatest(s.delay_p50_ms, m.p50), delay_p95_ms = greatest(s.delay_p95_ms, m.p95),
    delay_p99_ms = greatest(s.delay_p99_ms, m.p99)
FROM minutes m
WHERE s.at = m.kept
