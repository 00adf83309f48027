WITH spells AS (
    SELECT
        segment,
        coalesce("end", $as_of) - start AS tenure_days,
        CASE WHEN "end" IS NOT NULL THEN coalesce(end_reason, 'not recorded') END AS end_reason
    FROM customers
    WHERE start <= $as_of
),
steps AS (
    SELECT segment, tenure_days, count(*) AS ended FROM spells GROUP BY segment, tenure_days
    UNION ALL
    -- The curve starts at 0, whether or not anything happens there.
    SELECT segment, 0, 0 FROM spells GROUP BY segment HAVING min(tenure_days) > 0
),
at_risk AS (
    SELECT
        *,
        sum(ended) OVER (PARTITION BY segment ORDER BY tenure_days DESC) AS n,
        sum(ended) OVER (PARTITION BY segment) AS customers
    FROM steps
),
reasons AS (
    SELECT DISTINCT end_reason FROM spells WHERE end_reason IS NOT NULL
),
left_for AS (
    SELECT segment, tenure_days, end_reason, count(*) AS events FROM spells WHERE end_reason IS NOT NULL GROUP BY ALL
)
SELECT
    at_risk.segment,
    reasons.end_reason,
    at_risk.tenure_days,
    n,
    coalesce(events, 0) AS events,
    sum(coalesce(events, 0)) OVER (PARTITION BY at_risk.segment, reasons.end_reason ORDER BY at_risk.tenure_days) AS "left",
    customers
FROM at_risk
CROSS JOIN reasons
LEFT JOIN left_for
    ON left_for.segment IS NOT DISTINCT FROM at_risk.segment
    AND left_for.tenure_days = at_risk.tenure_days
    AND left_for.end_reason = reasons.end_reason
