LOCK TABLE marts.sales_by_attribute IN ACCESS SHARE MODE
