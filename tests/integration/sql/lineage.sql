-- Each table and view: what a view reads, and which of the roles may put rows into a table.
SELECT n.nspname || '.' || c.relname,
       ARRAY(SELECT DISTINCT rn.nspname || '.' || rc.relname
             FROM pg_rewrite w
             JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
             JOIN pg_class rc ON rc.oid = d.refobjid AND rc.oid <> c.oid
             JOIN pg_namespace rn ON rn.oid = rc.relnamespace AND rn.nspname = ANY(%(schemas)s::text[])
             WHERE w.ev_class = c.oid),
       ARRAY(SELECT role FROM unnest(%(roles)s::text[]) AS role
             WHERE c.relkind <> 'v' AND has_table_privilege(role, c.oid, 'INSERT'))
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s::text[]) AND c.relkind IN ('r', 'p', 'v', 'm')
