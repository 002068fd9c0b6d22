-- BRIN summaries come from vacuum, which the tables now ask for by the number of new rows. With autosummarize each filled range
-- asks for itself, in a queue of 256 for the whole server that is emptied once a minute: under load nearly all were refused, each
-- with two lines in the server's log, and stayed without a summary until the next vacuum, which came after a fifth of the table.
-- What has no summary yet are the newest rows, so a look at the newest pays nothing for it, any other one at most for so many.
ALTER INDEX warehouse.fact_sales_ordered_at SET (autosummarize = off);
ALTER INDEX warehouse.fact_sales_load_xid SET (autosummarize = off);
ALTER INDEX warehouse.user_changes_load_xid SET (autosummarize = off);
ALTER TABLE warehouse.fact_sales SET (autovacuum_vacuum_insert_threshold = 50000, autovacuum_vacuum_insert_scale_factor = 0);
ALTER TABLE warehouse.user_changes SET (autovacuum_vacuum_insert_threshold = 50000, autovacuum_vacuum_insert_scale_factor = 0);
