-- The k-th answers to all questions are given to one person, so that scores and ratings stand side by side as in one questionnaire.
WITH placed AS (
    SELECT *, row_number() OVER (PARTITION BY question ORDER BY time_answered, respondent, score, segment) - 1 AS place
    FROM responses
),
occasion AS (
    SELECT
        place % 900000 AS person,
        place // 900000 AS wave,
        max(score) FILTER (kind = 'nps') AS score,
        max(score) FILTER (question = 'price') AS price,
        max(score) FILTER (question = 'staff') AS staff,
        max(time_answered) FILTER (kind = 'nps')::DATE AS day
    FROM placed
    WHERE kind IN ('nps', 'rating') AND score IS NOT NULL
    GROUP BY ALL
),
used AS (
    FROM occasion WHERE score IS NOT NULL AND (price IS NOT NULL OR staff IS NOT NULL)
),
rated AS (
    SELECT 'price' AS driver, price AS rating, person, day FROM used
    UNION ALL
    SELECT 'staff', staff, person, day FROM used
)
SELECT
    driver,
    count(rating) AS n,
    count(*) - count(rating) AS missing,
    count(DISTINCT person) FILTER (rating IS NOT NULL) AS n_people,
    min(day) AS since,
    max(day) AS until
FROM rated
GROUP BY driver
