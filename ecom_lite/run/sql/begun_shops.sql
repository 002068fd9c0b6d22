-- Shops that have sent something, with what they were opened with.
SELECT shop, jsonb_build_object('opened_at', opened_at, 'live_from', live_from, 'settings', settings)
FROM ops.shops
WHERE next_sequence > 0
