-- JSON lines of all event types -> one table; a column that a type does not have is null. In the order of the lines.
SELECT *
FROM read_json(
    $lines,
    format = 'newline_delimited',
    columns = {
        order_id: 'VARCHAR',
        user_id: 'BIGINT',
        product_id: 'BIGINT',
        product_title: 'VARCHAR',
        category: 'VARCHAR',
        price: 'DECIMAL(10, 2)',
        quantity: 'INTEGER',
        revenue: 'DECIMAL(14, 2)',
        "timestamp": 'TIMESTAMPTZ',
        event_id: 'VARCHAR',
        event_type: 'VARCHAR',
        schema_version: 'INTEGER',
        reason: 'VARCHAR',
        name: 'VARCHAR',
        email: 'VARCHAR',
        city: 'VARCHAR',
        country: 'VARCHAR'
    }
)
