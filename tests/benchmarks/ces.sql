-- Seven points, high is good: an answer of five or more says it was easy.
SELECT
    month,
    segment,
    count(score) AS n,
    count(*) FILTER (score >= 5) AS easy,
    min(time_answered) FILTER (score IS NOT NULL)::DATE AS since,
    max(time_answered) FILTER (score IS NOT NULL)::DATE AS until
FROM responses
WHERE kind = 'ces'
GROUP BY month, segment
