-- Dead letters of our own producer, by the fault that it has put into the second header (base64; null where there is none).
SELECT CASE WHEN json_extract_string(headers, '$[1][0]') = $fault_header THEN json_extract_string(headers, '$[1][1]') END AS fault,
       reason, count(*)::BIGINT AS letters
FROM ecom.ops.dead_letters
WHERE json_extract_string(headers, '$[0][0]') = $producer_header
GROUP BY ALL
ORDER BY ALL
