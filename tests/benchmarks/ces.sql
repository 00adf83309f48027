-- Seven points, high is good: an answer of five or more says it was easy.
WITH person AS (
    SELECT
        month, segment, touchpoint, respondent,
        count(score) AS n,
        count(*) FILTER (score >= 5) AS easy,
        sum((score >= 5)::INT) AS worth,
        sum(score) AS total,
        min(time_answered) FILTER (score IS NOT NULL)::DATE AS since,
        max(time_answered) FILTER (score IS NOT NULL)::DATE AS until
    FROM responses
    WHERE kind = 'ces'
    GROUP BY ALL
)
SELECT
    month,
    segment,
    touchpoint,
    sum(n)::BIGINT AS n,
    sum(easy)::BIGINT AS easy,
    min(since) AS since,
    max(until) AS until,
    count(*) FILTER (n > 0) AS n_people,
    sum(n * n) AS answers_squared,
    sum(n * worth) AS crossed,
    sum(worth * worth) AS worth_squared,
    sum(n * total) AS crossed_total,
    sum(total * total) AS total_squared
FROM person
GROUP BY month, segment, touchpoint
