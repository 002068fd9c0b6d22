-- The catalogue as on the first day. Its schema stays: only the owner of the database could make it anew.
DO $$
DECLARE
    found text;
BEGIN
    FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'ducklake' LOOP
        EXECUTE format('DROP TABLE ducklake.%I CASCADE', found);
    END LOOP;
END $$
