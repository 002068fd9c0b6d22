-- description: What was sent is on the broker, and every record there has become a fact, a duplicate, another event or a dead letter.
-- left: sent, and on the broker
-- right: loaded
-- severity: error
-- By the counters alone: as quick with many facts as with few. The broker's offsets are those of the topics that are loaded now; what
-- was sent, and what became of it, is of all topics ever loaded.
WITH counters AS (
    SELECT coalesce(sum(next_offset) FILTER (WHERE topic = ANY(%(topics)s::text[])), 0)::bigint AS next_offsets,
           coalesce(sum(next_offset - first_offset), 0)::bigint AS accounted, coalesce(sum(own), 0)::bigint AS own,
           coalesce(sum(facts), 0)::bigint AS facts, coalesce(sum(duplicates), 0)::bigint AS duplicates,
           coalesce(sum(further_lines), 0)::bigint AS further, coalesce(sum(other), 0)::bigint AS other,
           coalesce(sum(dead), 0)::bigint AS dead, coalesce(sum(markers), 0)::bigint AS markers, coalesce(sum(lost), 0)::bigint AS lost
    FROM ops.consumer_offsets
), counted AS (
    SELECT *, accounted - markers - lost AS broker, accounted - markers - lost - own AS foreigners FROM counters
), before_and_after AS (
    SELECT (l -> 'before' ->> 'events')::bigint AS ledger, (l -> 'after' ->> 'events')::bigint AS ledger_after, (l ->> 'sent')::bigint AS sent,
           (e ->> 'before')::bigint AS ends, (e ->> 'after')::bigint AS ends_after, e ->> 'waiting' AS waiting
    FROM (SELECT %(ledger)s::jsonb AS l, %(ends)s::jsonb AS e) given
)
SELECT line, "left", up_to, "right", note, figures
FROM counted c CROSS JOIN before_and_after b CROSS JOIN LATERAL (VALUES
    (1, 'sent (ledger) = own records on the broker', b.ledger, b.ledger_after, c.own, '',
     to_jsonb(c) - 'foreigners' || jsonb_build_object('foreign', c.foreigners, 'sent', b.sent)),
    (2, 'broker''s offsets = offsets accounted for', b.ends, b.ends_after, c.next_offsets,
     CASE WHEN c.next_offsets < b.ends THEN to_char(b.ends - c.next_offsets, 'FM999,999,999,990') || ' wait on ' || b.waiting
          || ', not loaded yet; after a stop the next run loads them' ELSE '' END, NULL),
    (3, 'records = facts + duplicates + other + dead', c.broker + c.further, NULL, c.facts + c.duplicates + c.other + c.dead,
     to_char(c.own, 'FM999,999,999,990') || ' own, ' || to_char(c.foreigners, 'FM999,999,999,990') || ' foreign'
     || CASE WHEN c.further > 0
             THEN '; ' || to_char(c.further, 'FM999,999,999,990') || ' more are further lines of records with several' ELSE '' END, NULL)
) AS lines(place, line, "left", up_to, "right", note, figures)
ORDER BY place
