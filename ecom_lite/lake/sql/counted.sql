SELECT (SELECT list({'currency': currency, 'lines': lines, 'revenue': revenue})
        FROM (SELECT currency, count(*) AS lines, sum(revenue) AS revenue FROM lake.sales GROUP BY currency)),
       (SELECT count(*) FROM lake.returns), (SELECT count(*) FROM lake.customers)
