SELECT
    month,
    segment,
    question,
    count(score) AS n,
    count(*) FILTER (score = scale_high) AS top,
    count(*) FILTER (score = scale_low) AS bottom,
    min(scale_low) AS scale_low,
    max(scale_high) AS scale_high,
    min(time_answered) FILTER (score IS NOT NULL)::DATE AS since,
    max(time_answered) FILTER (score IS NOT NULL)::DATE AS until
FROM responses
WHERE kind = 'rating'
GROUP BY month, segment, question
