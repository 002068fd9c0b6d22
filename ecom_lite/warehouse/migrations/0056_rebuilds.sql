-- A warehouse that was made anew from the raw archive says so; one whose rebuild was cut off goes on with it, and with nothing else.
CREATE TABLE ops.rebuilds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at    timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    records     bigint
);
GRANT SELECT, INSERT, UPDATE ON ops.rebuilds TO ecom_loader;
GRANT SELECT ON ops.mark TO ecom_lake;  -- the raw archive says whose shops' records are in it
COMMENT ON TABLE ops.rebuilds IS 'One row per `ecom_lite rebuild` of this warehouse.';
COMMENT ON COLUMN ops.rebuilds.id IS 'Counts the rebuilds.';
COMMENT ON COLUMN ops.rebuilds.began_at IS 'When it began: the warehouse was empty then.';
COMMENT ON COLUMN ops.rebuilds.finished_at IS 'When all that the archive has was loaded and the marts were built; null: it was cut off, and the next one goes on.';
COMMENT ON COLUMN ops.rebuilds.records IS 'Records of the topics that were loaded, by the call that ended it.';
