-- description: What the shop has sent twice or broken on purpose is what the warehouse has found, kind by kind; nothing else of the shop's is dead.
-- left: sent, by the ledger
-- right: found
-- severity: error
-- By the counters and the dead letters alone. Dead letters of our own shop have its mark in the first header, the fault in the second.
WITH counted AS (
    SELECT coalesce(sum(facts), 0)::bigint AS facts, coalesce(sum(duplicates), 0)::bigint AS duplicates,
           coalesce(sum(next_offset - first_offset - markers - lost - own + further_lines), 0)::bigint AS others
    FROM ops.consumer_offsets
), ledger AS (
    SELECT l -> 'before' AS low, l -> 'after' AS high FROM (SELECT %(ledger)s::jsonb AS l) given
), own_dead AS (
    SELECT coalesce(CASE WHEN headers #>> '{1,0}' = %(fault_header)s THEN encode(decode(headers #>> '{1,1}', 'base64'), 'escape') END, '') AS fault,
           reason, count(*) AS letters
    FROM ops.dead_letters
    WHERE headers #>> '{0,0}' = %(producer_header)s
          AND split_part(encode(decode(headers #>> '{0,1}', 'base64'), 'escape'), '@', -1) = %(mark)s
    GROUP BY 1, 2
), unplanned AS (
    SELECT coalesce(sum(letters), 0)::bigint AS letters, coalesce(string_agg(reason || ' ' || to_char(letters, 'FM999,999,999,990'), ', ' ORDER BY reason), '') AS named
    FROM (SELECT reason, sum(letters) AS letters FROM own_dead WHERE NOT starts_with(fault, 'malformed.') GROUP BY reason) reasons
), kinds AS (  -- the sums may agree where the kinds do not
    SELECT fault, starts_with(fault, 'malformed.') AS broken, coalesce(low.events, 0) AS low, coalesce(high.events, 0) AS high,
           CASE WHEN fault = 'duplicate' THEN (SELECT duplicates FROM counted)
                WHEN starts_with(fault, 'malformed.') THEN coalesce(found.letters, 0) END::bigint AS found, found.reasons
    FROM (SELECT key AS fault, value::bigint AS events FROM ledger, jsonb_each_text(low -> 'faults')) low
    FULL JOIN (SELECT key AS fault, value::bigint AS events FROM ledger, jsonb_each_text(high -> 'faults')) high USING (fault)
    FULL JOIN (SELECT fault, sum(letters) AS letters, string_agg(DISTINCT reason, ', ' ORDER BY reason) AS reasons
               FROM own_dead WHERE starts_with(fault, 'malformed.') GROUP BY fault) found USING (fault)
    FULL JOIN (VALUES ('duplicate')) always(fault) USING (fault)
), broken AS (
    SELECT coalesce(sum(low), 0)::bigint AS low, coalesce(sum(high), 0)::bigint AS high, coalesce(sum(found), 0)::bigint AS found,
           coalesce(string_agg(substr(fault, 11) || ': ' || low || CASE WHEN high > low THEN ' .. ' || high ELSE '' END || ' sent, ' || found || ' found',
                               '; ' ORDER BY fault) FILTER (WHERE found NOT BETWEEN low AND high), '') AS wrong
    FROM kinds WHERE broken
), sums AS (
    SELECT (low ->> 'events')::bigint AS events, (high ->> 'events')::bigint AS all_events,
           (high ->> 'order_lines')::bigint + (high ->> 'other_events')::bigint + coalesce((high #>> '{faults,duplicate}')::bigint, 0)
           + (SELECT high FROM broken) AS parts,
           (low ->> 'order_lines')::bigint AS lines, (high ->> 'order_lines')::bigint AS all_lines,
           coalesce((low #>> '{faults,duplicate}')::bigint, 0) AS twice, coalesce((high #>> '{faults,duplicate}')::bigint, 0) AS all_twice
    FROM ledger
), told AS (
    SELECT CASE WHEN others > 0 THEN to_char(others, 'FM999,999,999,990') || ' foreign records may be some of them' ELSE '' END AS foreigners FROM counted
)
SELECT line, "left", up_to, "right", closes, note, figures
FROM counted c CROSS JOIN broken b CROSS JOIN unplanned u CROSS JOIN sums s CROSS JOIN told t CROSS JOIN LATERAL (VALUES
    (1, 'events (ledger) = order lines + other + sent twice + broken', s.all_events, NULL, s.parts, NULL, '',
     (SELECT jsonb_build_object('faults', jsonb_object_agg(fault, jsonb_build_object('sent', k.low, 'found', k.found, 'reason', k.reasons))) FROM kinds k)),
    (2, 'broken on purpose (ledger) = own dead letters, by kind', b.low, b.high, b.found, b.wrong = '', b.wrong, NULL),
    (3, 'own dead letters not broken on purpose', u.letters, NULL, 0, NULL, u.named, NULL),
    (4, 'sent twice on purpose (ledger) = duplicates', s.twice, s.all_twice + c.others, c.duplicates, NULL, t.foreigners, NULL),
    (5, 'order lines sent (ledger) = facts', s.lines, s.all_lines + c.others, c.facts, NULL, t.foreigners, NULL)
) AS lines(place, line, "left", up_to, "right", closes, note, figures)
ORDER BY place
