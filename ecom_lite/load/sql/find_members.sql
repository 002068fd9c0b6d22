SELECT "{attribute}", "{attribute}_key" FROM warehouse.dim_{attribute} WHERE "{attribute}" = ANY(%(members)s::text[])
