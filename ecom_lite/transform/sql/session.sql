-- Of a connection that builds models: a plan of many small parts is cheaper to run than to compile.
SET jit = off;
-- What is new is found by indexes, in a database that is in memory or on a disk without heads: not by reading a table that grows.
SET random_page_cost = 1.1;
-- Much may be new at once: a list of orders that does not fit is read from its beginning for each row that is looked for in it.
SET work_mem = '32MB';
