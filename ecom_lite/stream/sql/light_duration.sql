SELECT extract(epoch FROM clock_timestamp() - transaction_timestamp()) * 1000
