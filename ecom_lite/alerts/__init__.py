"""Alerts: rules as files, evaluated while a run is up, kept in ops.alerts, told on a topic and by webhook."""
