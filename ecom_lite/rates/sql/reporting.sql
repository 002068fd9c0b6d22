SELECT currency FROM ops.reporting_currency
