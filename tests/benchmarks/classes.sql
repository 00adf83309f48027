-- Of each person the answers, then of each group how many are of each class.
WITH person AS (
    SELECT
        month, segment, respondent,
        count(score) AS n,
        count(*) FILTER (score >= 9) AS promoters,
        count(*) FILTER (score BETWEEN 7 AND 8) AS passives,
        count(*) FILTER (score <= 6) AS detractors,
        min(time_answered) FILTER (score IS NOT NULL)::DATE AS since,
        max(time_answered) FILTER (score IS NOT NULL)::DATE AS until
    FROM responses
    WHERE kind = 'nps'
    GROUP BY ALL
),
counted AS (
    SELECT
        month, segment,
        sum(n)::BIGINT AS n,
        sum(promoters)::BIGINT AS promoters,
        sum(passives)::BIGINT AS passives,
        sum(detractors)::BIGINT AS detractors,
        count(*) FILTER (n > 0) AS n_people,
        -- What the intervals of the three shares need to know of people.
        sum(n * n) AS answers_squared,
        sum(n * promoters) AS a, sum(promoters * promoters) AS b,
        sum(n * passives) AS c, sum(passives * passives) AS d,
        sum(n * detractors) AS e, sum(detractors * detractors) AS f,
        min(since) AS since,
        max(until) AS until
    FROM person
    GROUP BY month, segment
)
UNPIVOT counted ON promoters, passives, detractors INTO NAME class VALUE answers
