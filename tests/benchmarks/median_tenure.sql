WITH spells AS (
    SELECT segment, coalesce("end", $as_of) - start AS tenure_days, "end" IS NOT NULL AS gone
    FROM customers
    WHERE start <= $as_of
),
counted AS (
    SELECT segment, tenure_days, count(*) FILTER (gone) AS events, count(*) FILTER (NOT gone) AS censored
    FROM spells
    GROUP BY segment, tenure_days
),
at_risk AS (
    SELECT *, sum(events + censored) OVER (PARTITION BY segment ORDER BY tenure_days DESC) AS n
    FROM counted
),
curve AS (
    SELECT *, product(1 - events / n) OVER (PARTITION BY segment ORDER BY tenure_days) AS survival
    FROM at_risk
)
SELECT
    segment,
    min(tenure_days) FILTER (survival <= 0.5) AS estimate,
    max(n) AS n,
    sum(events) AS churned,
    sum(censored) AS censored
FROM curve
GROUP BY segment
