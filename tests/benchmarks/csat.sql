-- Of each person the answers and what they are worth, then of each group what the interval needs to know of people.
WITH person AS (
    SELECT
        month, segment, touchpoint, respondent,
        count(score) AS n,
        count(*) FILTER (score >= scale_high - 1) AS satisfied,
        count(*) FILTER (score <= scale_low + 1) AS dissatisfied,
        sum((score >= scale_high - 1)::INT) AS worth,
        min(time_answered) FILTER (score IS NOT NULL)::DATE AS since,
        max(time_answered) FILTER (score IS NOT NULL)::DATE AS until
    FROM responses
    WHERE kind = 'csat'
    GROUP BY ALL
)
SELECT
    month,
    segment,
    touchpoint,
    sum(n)::BIGINT AS n,
    sum(satisfied)::BIGINT AS satisfied,
    sum(dissatisfied)::BIGINT AS dissatisfied,
    min(since) AS since,
    max(until) AS until,
    count(*) FILTER (n > 0) AS n_people,
    sum(n * n) AS answers_squared,
    sum(n * worth) AS crossed,
    sum(worth * worth) AS worth_squared
FROM person
GROUP BY month, segment, touchpoint
