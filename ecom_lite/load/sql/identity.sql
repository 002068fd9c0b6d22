-- Names this warehouse: loaders of one warehouse share a topic's partitions, loaders of different ones each read them all.
SELECT to_hex(system_identifier) || '.' || (SELECT oid FROM pg_database WHERE datname = current_database())
FROM pg_control_system()
