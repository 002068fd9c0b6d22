COPY incoming_facts FROM STDIN (FORMAT binary)
