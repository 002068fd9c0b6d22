-- Profile changes, as insert_others takes them. Of changes of one customer, time and kind the greater value of each field stays,
-- whichever comes first; one of them is counted, the others are duplicates. A row that gains by it is news for what follows the load
-- order. `is_new`: the row was not there.
WITH incoming AS (
    SELECT {keys}, {greatest}, min(ARRAY[(e ->> 0)::bigint, (e ->> 1)::bigint]) AS source
    FROM jsonb_array_elements(%(events)s::jsonb) AS e, jsonb_to_record(e -> 2) AS n ({record})
    GROUP BY {keys}
)
INSERT INTO warehouse.user_changes AS c (user_id, kind, changed_at, {fields}, source_partition, source_offset, load_xid)
SELECT {keys}, {fields}, source[1], source[2], (SELECT ops.load_order())
FROM incoming
ORDER BY {keys}
ON CONFLICT (user_id, changed_at, kind) DO UPDATE
SET ({fields}, load_xid) = ROW ({greater}, excluded.load_xid)
WHERE ROW ({old}) IS DISTINCT FROM ROW ({greater})
RETURNING new.source_partition, new.user_id, old.user_id IS NULL AS is_new
