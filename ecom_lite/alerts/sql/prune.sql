WITH dropped AS (
    DELETE FROM ops.alert_outbox o
    USING (SELECT outlet, change_id, row_number() OVER (PARTITION BY outlet ORDER BY change_id DESC) AS place FROM ops.alert_outbox) w
    WHERE w.outlet = o.outlet AND w.change_id = o.change_id AND w.place > %(waiting)s
    RETURNING 1
), old AS (
    DELETE FROM ops.alert_changes WHERE change_id <= (SELECT max(change_id) FROM ops.alert_changes) - %(kept)s
)
SELECT count(*) FROM dropped
