WITH spells AS (
    SELECT
        segment,
        date_trunc('month', start) AS joined,
        CASE WHEN day(start) = 1 THEN date_trunc('month', start) ELSE date_trunc('month', start) + INTERVAL 1 MONTH END AS first,
        CASE WHEN "end" <= $as_of THEN date_trunc('month', "end") END AS gone,
        count(*) AS spells
    FROM customers
    WHERE start <= $as_of
    GROUP BY ALL
),
months AS (
    SELECT unnest(range(min(first), date_trunc('month', $as_of + 1), INTERVAL 1 MONTH))::DATE AS month
    FROM spells
)
SELECT
    segment,
    month,
    coalesce(sum(spells) FILTER (first <= month AND (gone IS NULL OR gone >= month)), 0) AS n,
    coalesce(sum(spells) FILTER (first <= month AND gone = month), 0) AS "left",
    coalesce(sum(spells) FILTER (joined = month), 0) AS joined,
    coalesce(sum(spells) FILTER (joined = month AND gone = month AND first > month), 0) AS joined_left,
    month AS since,
    last_day(month) AS until
FROM spells
CROSS JOIN months
GROUP BY segment, month
