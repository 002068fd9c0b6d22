"""What a run says of itself: its figures and status as types, its metrics, the meter that takes them, and its logs."""
