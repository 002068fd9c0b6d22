"""This computer: what is missing on it, how to fetch it, and how to delete what is ours."""
