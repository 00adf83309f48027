-- Of each person the answers and what they are worth, then of each group what the interval needs to know of people.
WITH person AS (
    SELECT
        month, segment, touchpoint, respondent,
        count(score) AS n,
        count(*) FILTER (score >= 9) AS promoters,
        count(*) FILTER (score BETWEEN 7 AND 8) AS passives,
        count(*) FILTER (score <= 6) AS detractors,
        sum(CASE WHEN score >= 9 THEN 1 WHEN score <= 6 THEN -1 WHEN score IS NOT NULL THEN 0 END) AS worth,
        min(time_answered) FILTER (score IS NOT NULL)::DATE AS since,
        max(time_answered) FILTER (score IS NOT NULL)::DATE AS until
    FROM responses
    WHERE kind = 'nps'
    GROUP BY ALL
)
SELECT
    month,
    segment,
    touchpoint,
    sum(n)::BIGINT AS n,
    sum(promoters)::BIGINT AS promoters,
    sum(passives)::BIGINT AS passives,
    sum(detractors)::BIGINT AS detractors,
    min(since) AS since,
    max(until) AS until,
    count(*) FILTER (n > 0) AS n_people,
    sum(n * n) AS answers_squared,
    sum(n * worth) AS crossed,
    sum(worth * worth) AS worth_squared
FROM person
GROUP BY month, segment, touchpoint
