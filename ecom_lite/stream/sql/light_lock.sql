-- One refresh at a time. Readers are not held up.
LOCK TABLE realtime.light_progress IN EXCLUSIVE MODE
