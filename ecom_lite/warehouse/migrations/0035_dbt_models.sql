-- What a run of dbt did to each model. A run of some models only has a status of its own: whoever looks for the last good run of all of
-- them asks for 'success' and 'tests failed', as before.
ALTER TABLE ops.dbt_runs
    DROP CONSTRAINT dbt_runs_status_check,
    ADD CONSTRAINT dbt_runs_status_check
        CHECK (status IN ('running', 'success', 'tests failed', 'error', 'selected', 'selected, tests failed')),
    ADD COLUMN selected text[],
    ADD COLUMN quick boolean NOT NULL DEFAULT false,
    ADD COLUMN all_tests boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN ops.dbt_runs.status IS 'running, success, tests failed (the marts are built) or error; of a run of some models only: selected, or selected, tests failed.';
COMMENT ON COLUMN ops.dbt_runs.selected IS 'The models that were asked for; null for a run of all of them.';
COMMENT ON COLUMN ops.dbt_runs.quick IS 'Whether ecom_lite carried out what dbt had planned before; else dbt itself built the models.';
COMMENT ON COLUMN ops.dbt_runs.all_tests IS 'Whether the tests tagged `whole`, which read all facts, were among those that were asked.';
COMMENT ON COLUMN ops.dbt_runs.models IS 'Models built; a quick run leaves views as they are.';

CREATE TABLE ops.dbt_models (
    run_id        bigint NOT NULL REFERENCES ops.dbt_runs ON DELETE CASCADE,
    model         text NOT NULL,
    seconds       double precision NOT NULL,
    rows          bigint,
    tests_passed  integer NOT NULL DEFAULT 0,
    tests_failed  integer NOT NULL DEFAULT 0,
    error         text NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, model)
);
GRANT INSERT, DELETE ON ops.dbt_models TO ecom_dbt;
GRANT SELECT ON ops.dbt_models TO ecom_reader, ecom_dbt;
COMMENT ON TABLE ops.dbt_models IS 'What the last 500 runs of dbt did to each model.';
COMMENT ON COLUMN ops.dbt_models.run_id IS 'The run, of ops.dbt_runs.';
COMMENT ON COLUMN ops.dbt_models.model IS 'The model.';
COMMENT ON COLUMN ops.dbt_models.seconds IS 'How long it took to build.';
COMMENT ON COLUMN ops.dbt_models.rows IS 'Rows that the run has written into it; null for a view, and where it was not built.';
COMMENT ON COLUMN ops.dbt_models.tests_passed IS 'Its data tests that passed.';
COMMENT ON COLUMN ops.dbt_models.tests_failed IS 'Its data tests that failed, or could not be asked.';
COMMENT ON COLUMN ops.dbt_models.error IS 'Why it was not built, or its first failing test; empty where all is well.';
