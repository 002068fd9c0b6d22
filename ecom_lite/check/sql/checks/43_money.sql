-- description: On each day gross - discounts - returns = net.
-- left: days on which gross - discounts - returns is not net
-- right: 0
-- severity: error
-- needs: marts.daily_sales(gross, discounts, returns, net)
SELECT date, gross, discounts, returns, net
FROM marts.daily_sales
WHERE (gross - discounts - returns = net) IS NOT TRUE
ORDER BY date
