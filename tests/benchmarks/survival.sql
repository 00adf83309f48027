WITH spells AS (
    SELECT segment, coalesce("end", $as_of) - start AS tenure_days, "end" IS NOT NULL AS gone
    FROM customers
    WHERE start <= $as_of
),
counted AS (
    SELECT segment, tenure_days, count(*) FILTER (gone) AS events, count(*) FILTER (NOT gone) AS censored
    FROM spells
    GROUP BY segment, tenure_days
    UNION ALL
    -- The curve starts at 0, whether or not anything happens there.
    SELECT segment, 0, 0, 0 FROM spells GROUP BY segment HAVING min(tenure_days) > 0
)
SELECT
    segment,
    tenure_days,
    sum(events + censored) OVER (PARTITION BY segment ORDER BY tenure_days DESC) AS n,
    events,
    censored,
    sum(events + censored) OVER (PARTITION BY segment) AS customers
FROM counted
