-- How far the lake is: the rows themselves say it, for whatever has a lower place was taken in with them or before.
SELECT greatest((SELECT max(load_xid) FROM lake.sales), (SELECT max(load_xid) FROM lake.returns),
                (SELECT max(load_xid) FROM lake.customers)) + 1
