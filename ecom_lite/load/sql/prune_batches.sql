DELETE FROM ops.load_batches WHERE loaded_at < now() - interval '3 days'
