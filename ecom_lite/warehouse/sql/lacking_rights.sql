-- What `roles.py` does and the connected role may not, in words; and whether the database is there and we are no superuser.
SELECT
    array_remove(ARRAY[
        CASE WHEN NOT (me.rolsuper OR me.rolcreaterole) THEN 'create roles' END,
        (
            SELECT 'administer ' || string_agg(made.rolname, ', ' ORDER BY made.rolname) FROM pg_roles made
            WHERE made.rolname = ANY(%(roles)s) AND NOT me.rolsuper AND NOT pg_has_role(made.oid, 'MEMBER WITH ADMIN OPTION')
        ),
        CASE WHEN db.oid IS NULL AND NOT (me.rolsuper OR me.rolcreatedb) THEN 'create database ' || %(database)s END,
        CASE WHEN NOT has_database_privilege(db.oid, 'CONNECT') THEN 'connect to ' || %(database)s END,
        CASE WHEN NOT (has_database_privilege(db.oid, 'CONNECT WITH GRANT OPTION') OR has_database_privilege('public', db.oid, 'CONNECT'))
             THEN 'let others connect to ' || %(database)s END,
        CASE WHEN NOT (has_database_privilege(db.oid, 'TEMPORARY WITH GRANT OPTION')
                       OR has_database_privilege('public', db.oid, 'TEMPORARY'))
             THEN 'let others make temporary tables in ' || %(database)s END,
        CASE WHEN NOT has_database_privilege(db.oid, 'CREATE WITH GRANT OPTION')
             THEN 'let others create schemas in ' || %(database)s END
    ], NULL),
    db.oid IS NOT NULL AND NOT me.rolsuper AND has_database_privilege(db.oid, 'CONNECT')
FROM pg_roles me LEFT JOIN pg_database db ON db.datname = %(database)s
WHERE me.rolname = current_user
