SELECT
    month,
    segment,
    count(score) AS n,
    count(*) FILTER (score >= scale_high - 1) AS satisfied,
    count(*) FILTER (score <= scale_low + 1) AS dissatisfied,
    min(time_answered) FILTER (score IS NOT NULL)::DATE AS since,
    max(time_answered) FILTER (score IS NOT NULL)::DATE AS until
FROM responses
WHERE kind = 'csat'
GROUP BY month, segment
