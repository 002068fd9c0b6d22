SELECT currency, decimals FROM ops.reporting_currency
