UPDATE ops.dbt_runs
SET finished_at = now(), status = %(status)s, models = %(models)s, tests_passed = %(tests_passed)s,
    tests_failed = %(tests_failed)s, message = %(message)s, quick = %(quick)s, all_tests = %(all_tests)s
WHERE run_id = %(run_id)s;
