"""Keeps the parts alive: the service contract, the supervisor, the schedule, the state file and the lock."""
