-- Marts of another version are built anew by the next run of dbt.
UPDATE ops.reporting_currency SET rates_version = rates_version + 1
