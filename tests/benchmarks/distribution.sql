-- Every score of the scale, also those that nobody gave.
WITH given AS (
    SELECT month, segment, question, score, count(*) AS answers
    FROM responses
    WHERE score IS NOT NULL
    GROUP BY month, segment, question, score
),
scales AS (
    SELECT month, segment, question, count(score) AS n, unnest(range(min(scale_low), max(scale_high) + 1)) AS score
    FROM responses
    GROUP BY month, segment, question
)
SELECT scales.month, scales.segment, scales.question, scales.score, n, coalesce(answers, 0) AS answers
FROM scales
LEFT JOIN given
    ON given.month IS NOT DISTINCT FROM scales.month
    AND given.segment IS NOT DISTINCT FROM scales.segment
    AND given.question = scales.question
    AND given.score = scales.score
