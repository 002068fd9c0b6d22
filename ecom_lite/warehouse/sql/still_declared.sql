UPDATE ops.attributes SET still_declared = (name = ANY(%(names)s::text[])) WHERE still_declared <> (name = ANY(%(names)s::text[]))
