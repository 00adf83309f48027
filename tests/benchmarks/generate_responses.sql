-- Answers of two years, the same on every machine: chance comes from a hash of the row's number.
SELECT
    'r' || (i % 900000) AS respondent,
    CASE WHEN u < 40 THEN 'recommend' WHEN u < 60 THEN 'satisfied' WHEN u < 80 THEN 'effort' WHEN u < 90 THEN 'staff' ELSE 'price' END AS question,
    CASE WHEN u < 40 THEN 'nps' WHEN u < 60 THEN 'csat' WHEN u < 80 THEN 'ces' ELSE 'rating' END AS kind,
    CASE WHEN u < 40 THEN 0 ELSE 1 END::BIGINT AS scale_low,
    CASE WHEN u < 40 THEN 10 WHEN u < 60 THEN 5 WHEN u < 80 THEN 7 ELSE 5 END::BIGINT AS scale_high,
    false AS low_is_good,
    -- Two draws, the higher of which counts: most answers are good ones. Three in a hundred were skipped.
    CASE WHEN hash(i, 'skipped') % 100 < 3 THEN NULL
         ELSE scale_low + greatest(hash(i, 'first') % (scale_high - scale_low + 1)::UBIGINT,
                                   hash(i, 'second') % (scale_high - scale_low + 1)::UBIGINT)::BIGINT
    END AS score,
    (TIMESTAMP '2024-07-01' + to_minutes((hash(i, 'minute') % 1051200)::BIGINT))::TIMESTAMP AS time_answered,
    date_trunc('month', time_answered)::DATE AS month,
    CASE hash(i, 'segment') % 50 WHEN 0 THEN NULL ELSE ['private', 'business', 'public', 'partner'][1 + (hash(i, 'segment') % 4)::INT] END AS segment,
    CASE hash(i, 'touchpoint') % 50 WHEN 0 THEN NULL ELSE ['delivery', 'support', 'website', 'billing', 'store'][1 + (hash(i, 'touchpoint') % 5)::INT] END AS touchpoint
FROM (SELECT range AS i, hash(range, 'question') % 100 AS u FROM range($rows))
