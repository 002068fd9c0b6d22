"""What a command may know of a run that is up, and ask of it: the lock, the state file, the control interface."""
