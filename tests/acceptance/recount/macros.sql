-- Whole numbers only: half a cent, and half a millionth, are rounded up as people do it.
CREATE OR REPLACE MACRO over(part, whole) AS CASE WHEN whole > 0 THEN (2 * part::HUGEINT + whole) // (2 * whole) END;
CREATE OR REPLACE MACRO share(part, whole) AS (over(part::HUGEINT * 1000000, whole) * 0.000001::DECIMAL(7, 6))::DECIMAL(12, 6);
CREATE OR REPLACE MACRO growth(now, before) AS CASE
    WHEN before > 0 THEN (sign(now - before) * over(abs(now - before)::HUGEINT * 1000000, before) * 0.000001::DECIMAL(7, 6))::DECIMAL(30, 6)
END;
CREATE OR REPLACE MACRO fifth(below, others) AS least(5, 1 + CASE WHEN others > 0 THEN 5 * below // others ELSE 0 END)::INTEGER;
CREATE OR REPLACE MACRO money(cents) AS (cents::HUGEINT * 0.01::DECIMAL(3, 2))::DECIMAL(20, 2);
CREATE OR REPLACE MACRO day_of(moment) AS (moment AT TIME ZONE getvariable('zone'))::DATE;
