-- The columns of a relation, none where it is not there. (A schema that is not for us is an error.)
SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%(relation)s) AND attnum > 0 AND NOT attisdropped
