-- Who chose it, of those who answered; of each person first, as some answered more than once.
WITH person AS (
    SELECT
        month, segment, respondent,
        count(score) AS n,
        count(*) FILTER (score >= 4) AS chosen,
        min(time_answered) FILTER (score IS NOT NULL)::DATE AS since,
        max(time_answered) FILTER (score IS NOT NULL)::DATE AS until
    FROM responses
    WHERE question = 'staff'
    GROUP BY ALL
)
SELECT
    month, segment,
    sum(n)::BIGINT AS n,
    sum(chosen)::BIGINT AS chosen,
    count(*) FILTER (n > 0) AS n_people,
    sum(n * n) AS answers_squared,
    sum(n * chosen) AS crossed,
    sum(chosen * chosen) AS chosen_squared,
    min(since) AS since,
    max(until) AS until
FROM person
GROUP BY month, segment
