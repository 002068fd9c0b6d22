INSERT INTO ops.dbt_models (run_id, model, seconds, rows, tests_passed, tests_failed, error)
VALUES (%(run_id)s, %(model)s, %(seconds)s, %(rows)s, %(tests_passed)s, %(tests_failed)s, %(error)s)
