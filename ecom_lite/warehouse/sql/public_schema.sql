-- Whether the owner may make the table of the migrations, and whether we may allow it. (The owner of a database may, unasked.)
SELECT
    coalesce((SELECT has_schema_privilege(oid, 'public', 'CREATE') FROM pg_roles WHERE rolname = 'ecom_owner'), false),
    has_schema_privilege('public', 'CREATE WITH GRANT OPTION')
