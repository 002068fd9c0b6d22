INSERT INTO ops.service_events (service, event, detail) VALUES ('load', 'lost', %s)
