-- Vacuum holds the same lock and does the same: whoever finds it at work has nothing to do. Shorter than deadlock_timeout, after which a
-- waiting session would end an autovacuum.
SET LOCAL lock_timeout = '200ms';
SELECT ops.summarise_facts()
