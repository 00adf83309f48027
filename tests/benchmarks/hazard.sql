WITH spells AS (
    SELECT segment, (coalesce("end", $as_of) - start)::DOUBLE AS tenure, "end" IS NOT NULL AS gone
    FROM customers
    WHERE start <= $as_of
),
edges AS (
    SELECT 30.4375 * unnest([0, 1, 3, 6, 12, 24, 36, 48, 60, 84, 120]) AS tenure_days
),
bands AS (
    SELECT
        tenure_days,
        CASE WHEN tenure_days = 0 THEN -0.5 ELSE tenure_days END AS begins,
        coalesce(lead(tenure_days) OVER (ORDER BY tenure_days), 'infinity'::DOUBLE) AS ends
    FROM edges
)
SELECT
    segment,
    tenure_days::DOUBLE AS tenure_days,
    count(*) FILTER (tenure > begins) AS n,
    count(*) FILTER (gone AND tenure > begins AND tenure <= ends) AS "left",
    -- Half days add up exactly: a customer is at risk from the half day before the first.
    sum(greatest(least(tenure, ends) - begins, 0)) AS customer_days
FROM spells, bands
GROUP BY segment, bands.tenure_days
-- Bands at the end that fewer than 30 customers have reached are not given.
HAVING bands.tenure_days <= (
    SELECT max(tenure_days) FROM bands WHERE (SELECT count(*) FROM spells WHERE tenure > begins) >= 30
)
