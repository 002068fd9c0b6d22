-- The bytes of old dead letters go by themselves (load.dead_letter_days): found by this, so that it costs what goes.
CREATE INDEX dead_letters_whole ON ops.dead_letters (topic, loaded_at) WHERE purged_at IS NULL;
