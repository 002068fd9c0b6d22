-- What `warehouse/roles.py` does and the connected role may not, in words.
SELECT array_remove(ARRAY[
    CASE WHEN NOT (me.rolsuper OR me.rolcreaterole) THEN 'create roles' END,
    CASE WHEN db.oid IS NULL AND NOT (me.rolsuper OR me.rolcreatedb) THEN 'create database ' || %(database)s END,
    CASE WHEN db.oid IS NOT NULL AND NOT has_database_privilege(db.oid, 'CREATE WITH GRANT OPTION')
         THEN 'let others create schemas in ' || %(database)s END
], NULL)
FROM pg_roles me LEFT JOIN pg_database db ON db.datname = %(database)s
WHERE me.rolname = current_user
