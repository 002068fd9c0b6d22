-- Dead letters of our own producer, by the fault that it has put into the second header (base64; null where there is none).
SELECT CASE WHEN headers #>> '{1,0}' = %(fault_header)s THEN headers #>> '{1,1}' END AS fault, reason, count(*) AS letters
FROM ops.dead_letters
WHERE headers #>> '{0,0}' = %(producer_header)s
      AND split_part(encode(decode(headers #>> '{0,1}', 'base64'), 'escape'), '@', -1) = %(mark)s
GROUP BY fault, reason
ORDER BY fault, reason
