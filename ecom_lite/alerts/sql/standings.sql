SELECT rule, state, since, value, told, problem FROM ops.alerts
