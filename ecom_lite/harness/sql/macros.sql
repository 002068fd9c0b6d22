-- How the contract reads a JSON value, by its type and its text.
CREATE OR REPLACE MACRO is_whole(kind, written) AS CASE
    WHEN kind = 'VARCHAR' THEN regexp_full_match(written, '[0-9]{1,19}(\.0+)?')
    WHEN regexp_full_match(written, '-?[0-9]+') THEN true
    ELSE coalesce(TRY_CAST(written AS DOUBLE) = floor(TRY_CAST(written AS DOUBLE)), false)
         AND coalesce(TRY_CAST(written AS DECIMAL(38, 18)) = floor(TRY_CAST(written AS DECIMAL(38, 18))), true)
END;
CREATE OR REPLACE MACRO whole_number(kind, written) AS  -- null: none, or beyond 64 bits
    CASE WHEN is_whole(kind, written) THEN TRY_CAST(floor(TRY_CAST(written AS DECIMAL(38, 18))) AS BIGINT) END;
CREATE OR REPLACE MACRO is_money(kind, written) AS
    kind IN ('UBIGINT', 'BIGINT', 'DOUBLE') OR (kind = 'VARCHAR' AND length(written) <= 64 AND regexp_full_match(written, '[0-9]+(\.[0-9]+)?'));
CREATE OR REPLACE MACRO id(kind, written) AS  -- null: none; digits are a number, without leading zeros
    CASE
        WHEN kind <> 'VARCHAR' THEN CASE WHEN whole_number(kind, written) > 0 THEN whole_number(kind, written)::VARCHAR END
        WHEN length(written) NOT BETWEEN 1 AND 64 THEN NULL
        WHEN regexp_full_match(written, '[0-9]+') THEN nullif(ltrim(written, '0'), '')
        ELSE written
    END;
CREATE OR REPLACE MACRO decimals(code) AS CASE  -- null: no currency
    WHEN code IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
    WHEN code IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
    WHEN code IN ('CLF', 'UYW') THEN 4
    WHEN list_contains(string_split('AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG', ' '), code) THEN 2
END;
CREATE OR REPLACE MACRO present(found) AS CASE WHEN json_type(found) <> 'NULL' THEN found END;
CREATE OR REPLACE MACRO whole_units(found, code) AS  -- of a number of the currency's smallest units, also of digits in a text
    CASE WHEN json_type(found) <> 'VARCHAR' OR regexp_full_match(found ->> '$', '[0-9.]+')
         THEN coalesce((TRY_CAST(found ->> '$' AS DECIMAL(28, 10)) * CASE coalesce(decimals(code), 2)
                            WHEN 0 THEN 1.0000 WHEN 2 THEN 0.0100 WHEN 3 THEN 0.0010 ELSE 0.0001 END)::VARCHAR::JSON, found)
         ELSE found END;
