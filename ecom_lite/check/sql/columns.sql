-- The columns of a relation, none where it is not there (or not for us).
SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%(relation)s) AND attnum > 0 AND NOT attisdropped
