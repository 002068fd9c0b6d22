"""Named checks, ours and the user's, and the reconciliation that must close."""
