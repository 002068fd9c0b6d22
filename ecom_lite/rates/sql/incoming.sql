CREATE TEMP TABLE incoming_rates (currency text, day date, rate numeric(20, 12), changed boolean NOT NULL DEFAULT false) ON COMMIT DROP
