-- Of each person the answers and what they are worth, then of each group what the interval needs to know of people.
WITH person AS (
    SELECT
        month, segment, touchpoint, question, respondent,
        count(score) AS n,
        count(*) FILTER (score = scale_high) AS top,
        count(*) FILTER (score = scale_low) AS bottom,
        min(scale_low) AS scale_low,
        max(scale_high) AS scale_high,
        sum(score) AS worth,
        min(time_answered) FILTER (score IS NOT NULL)::DATE AS since,
        max(time_answered) FILTER (score IS NOT NULL)::DATE AS until
    FROM responses
    WHERE kind = 'rating'
    GROUP BY ALL
)
SELECT
    month,
    segment,
    touchpoint,
    question,
    sum(n)::BIGINT AS n,
    sum(top)::BIGINT AS top,
    sum(bottom)::BIGINT AS bottom,
    min(scale_low) AS scale_low,
    max(scale_high) AS scale_high,
    min(since) AS since,
    max(until) AS until,
    count(*) FILTER (n > 0) AS n_people,
    sum(n * n) AS answers_squared,
    sum(n * worth) AS crossed,
    sum(worth * worth) AS worth_squared
FROM person
GROUP BY month, segment, touchpoint, question
