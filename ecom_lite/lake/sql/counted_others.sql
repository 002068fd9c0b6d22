SELECT (SELECT count(*) FROM lake.returns), (SELECT count(*) FROM lake.customers),
       greatest((SELECT max(load_xid) FROM lake.returns), (SELECT max(load_xid) FROM lake.customers))
