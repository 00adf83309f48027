SELECT segment, count(*) AS n, sum(count(*)) OVER () - count(*) AS n_rest
FROM customers
WHERE start <= $as_of
GROUP BY segment
