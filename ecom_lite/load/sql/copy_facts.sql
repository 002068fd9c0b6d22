COPY warehouse.fact_sales ({columns}) FROM STDIN (FORMAT binary)
