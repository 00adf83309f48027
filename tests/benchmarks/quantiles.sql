WITH spells AS (
    SELECT segment, coalesce("end", $as_of) - start AS tenure_days, "end" IS NOT NULL AS gone
    FROM customers
    WHERE start <= $as_of
),
steps AS (
    SELECT segment, tenure_days, count(*) AS ended, count(*) FILTER (gone) AS events
    FROM spells
    GROUP BY segment, tenure_days
),
at_risk AS (
    SELECT *, sum(ended) OVER (PARTITION BY segment ORDER BY tenure_days DESC) AS n
    FROM steps
),
curve AS (
    SELECT *, product(1 - events / n) OVER (PARTITION BY segment ORDER BY tenure_days) AS share
    FROM at_risk
),
totals AS (
    SELECT segment, sum(ended) AS n, sum(events) AS churned, sum(ended - events) AS censored
    FROM steps
    GROUP BY segment
)
SELECT
    segment,
    share_left,
    (
        SELECT min(tenure_days)
        FROM curve
        WHERE curve.segment IS NOT DISTINCT FROM totals.segment AND share <= 1 - share_left + 1e-9
    )::DOUBLE AS estimate,
    n,
    churned,
    censored
FROM totals, (SELECT unnest([0.1, 0.25, 0.5])::DOUBLE AS share_left)
