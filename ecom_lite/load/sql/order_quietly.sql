-- The order of this load; and up to the savepoint or the end, where we may say so, no error in the server's log: a duplicate is
-- expected of the COPY that follows. What else fails is in the loader's own log.
SELECT
    ops.load_order(),
    CASE WHEN has_parameter_privilege('log_min_messages', 'SET') THEN set_config('log_min_messages', 'fatal', true) END
