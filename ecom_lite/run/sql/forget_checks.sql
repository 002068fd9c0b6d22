DELETE FROM ops.check_results WHERE name <> ALL(%(names)s)
