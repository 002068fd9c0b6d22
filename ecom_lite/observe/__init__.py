"""Logs: one file per part in the data folder, read back by `ecom_lite logs`."""
