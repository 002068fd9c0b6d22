-- Alerts: how each rule stands, what has changed, and what has still to be told. The run that evaluates writes, by the role that keeps
-- the figures.
CREATE TABLE ops.alerts (
    rule          text PRIMARY KEY,
    title         text NOT NULL,
    severity      text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    state         text NOT NULL CHECK (state IN ('ok', 'pending', 'firing', 'unknown')),
    since         timestamptz NOT NULL,
    evaluated_at  timestamptz NOT NULL,
    value         double precision,
    unit          text NOT NULL,
    told          text NOT NULL,
    problem       text NOT NULL DEFAULT '',
    what_to_do    text NOT NULL,
    board         text NOT NULL DEFAULT ''
);
COMMENT ON TABLE ops.alerts IS 'How each rule of alerts/*.toml stands, by the newest evaluation.';
COMMENT ON COLUMN ops.alerts.rule IS 'Name of the rule.';
COMMENT ON COLUMN ops.alerts.title IS 'What is wrong when it fires.';
COMMENT ON COLUMN ops.alerts.severity IS 'info, warning or critical.';
COMMENT ON COLUMN ops.alerts.state IS 'ok, pending (out of bounds, not yet for long enough), firing, or unknown (its question failed or has no data).';
COMMENT ON COLUMN ops.alerts.since IS 'Since when it is in this state.';
COMMENT ON COLUMN ops.alerts.evaluated_at IS 'When it was last evaluated.';
COMMENT ON COLUMN ops.alerts.value IS 'The number that its question gave; null where it gave none.';
COMMENT ON COLUMN ops.alerts.unit IS 'What the number counts.';
COMMENT ON COLUMN ops.alerts.told IS 'The number and its bounds, for people.';
COMMENT ON COLUMN ops.alerts.problem IS 'Why it could not be judged; empty where it was. An alert that fires goes on firing until it is.';
COMMENT ON COLUMN ops.alerts.what_to_do IS 'What to do when it fires.';
COMMENT ON COLUMN ops.alerts.board IS 'uid of the board to look at; empty for none.';

CREATE TABLE ops.alert_changes (
    change_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            timestamptz NOT NULL,
    rule          text NOT NULL,
    title         text NOT NULL,
    severity      text NOT NULL,
    before        text,
    after         text NOT NULL,
    since         timestamptz NOT NULL,
    value         double precision,
    unit          text NOT NULL,
    told          text NOT NULL,
    what_to_do    text NOT NULL,
    board         text NOT NULL
);
COMMENT ON TABLE ops.alert_changes IS 'Each change of an alert''s state; the newest 10,000 are kept.';
COMMENT ON COLUMN ops.alert_changes.change_id IS 'Number of the change: the id of the message about it.';
COMMENT ON COLUMN ops.alert_changes.at IS 'When it was found.';
COMMENT ON COLUMN ops.alert_changes.rule IS 'Name of the rule.';
COMMENT ON COLUMN ops.alert_changes.title IS 'What is wrong when it fires.';
COMMENT ON COLUMN ops.alert_changes.severity IS 'info, warning or critical.';
COMMENT ON COLUMN ops.alert_changes.before IS 'The state that it left; null for a rule that is new.';
COMMENT ON COLUMN ops.alert_changes.after IS 'The state that it came to; removed for a rule that is there no more.';
COMMENT ON COLUMN ops.alert_changes.since IS 'Since when it had been in the state that it left; of a new rule the time of the change.';
COMMENT ON COLUMN ops.alert_changes.value IS 'The number that its question gave; null where it gave none.';
COMMENT ON COLUMN ops.alert_changes.unit IS 'What the number counts.';
COMMENT ON COLUMN ops.alert_changes.told IS 'The number and its bounds, or why it could not be judged, for people.';
COMMENT ON COLUMN ops.alert_changes.what_to_do IS 'What to do when it fires.';
COMMENT ON COLUMN ops.alert_changes.board IS 'uid of the board to look at; empty for none.';

CREATE TABLE ops.alert_outbox (
    outlet        text NOT NULL,
    change_id     bigint NOT NULL REFERENCES ops.alert_changes ON DELETE CASCADE,
    attempts      integer NOT NULL DEFAULT 0,
    not_before    timestamptz NOT NULL,
    error         text NOT NULL DEFAULT '',
    PRIMARY KEY (outlet, change_id)
);
CREATE INDEX alert_outbox_change ON ops.alert_outbox (change_id);
COMMENT ON TABLE ops.alert_outbox IS 'Changes that are still to be told, by outlet: written with the change, deleted once delivered.';
COMMENT ON COLUMN ops.alert_outbox.outlet IS 'topic or webhook.';
COMMENT ON COLUMN ops.alert_outbox.change_id IS 'The change, of ops.alert_changes.';
COMMENT ON COLUMN ops.alert_outbox.attempts IS 'How often it was tried.';
COMMENT ON COLUMN ops.alert_outbox.not_before IS 'When it is tried next, at the earliest.';
COMMENT ON COLUMN ops.alert_outbox.error IS 'Why it was not delivered the last time; empty before the first.';

CREATE TABLE ops.alert_evaluator (
    one_row       boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    up_since      timestamptz NOT NULL,
    at            timestamptz NOT NULL,
    disk_free_bytes bigint NOT NULL,
    disk_total_bytes bigint NOT NULL
);
COMMENT ON TABLE ops.alert_evaluator IS 'One row: the run that evaluates the alerts, and what it sees of its machine.';
COMMENT ON COLUMN ops.alert_evaluator.one_row IS 'Always true: there is one row.';
COMMENT ON COLUMN ops.alert_evaluator.up_since IS 'When that run began.';
COMMENT ON COLUMN ops.alert_evaluator.at IS 'When it last evaluated.';
COMMENT ON COLUMN ops.alert_evaluator.disk_free_bytes IS 'Free bytes, to this user, of the disk that the data folder is on.';
COMMENT ON COLUMN ops.alert_evaluator.disk_total_bytes IS 'Size of that disk.';

CREATE TABLE ops.check_results (
    name          text PRIMARY KEY,
    state         text NOT NULL,
    severity      text NOT NULL,
    at            timestamptz NOT NULL,
    told          text NOT NULL
);
COMMENT ON TABLE ops.check_results IS 'The newest result of each check of your own, where check.every_s is set.';
COMMENT ON COLUMN ops.check_results.name IS 'Name of the check.';
COMMENT ON COLUMN ops.check_results.state IS 'pass, fail, skipped, or error where it could not be run.';
COMMENT ON COLUMN ops.check_results.severity IS 'error or warning.';
COMMENT ON COLUMN ops.check_results.at IS 'When it was run.';
COMMENT ON COLUMN ops.check_results.told IS 'Why it does not pass; empty where it does.';

GRANT SELECT, INSERT, UPDATE, DELETE ON ops.alerts, ops.alert_changes, ops.alert_outbox, ops.alert_evaluator, ops.check_results TO ecom_stream;
GRANT SELECT ON ops.alerts, ops.alert_changes, ops.alert_outbox, ops.alert_evaluator, ops.check_results TO ecom_reader;
