SELECT
    month,
    segment,
    count(score) AS n,
    count(*) FILTER (score >= 9) AS promoters,
    count(*) FILTER (score BETWEEN 7 AND 8) AS passives,
    count(*) FILTER (score <= 6) AS detractors,
    min(time_answered) FILTER (score IS NOT NULL)::DATE AS since,
    max(time_answered) FILTER (score IS NOT NULL)::DATE AS until
FROM responses
WHERE kind = 'nps'
GROUP BY month, segment
