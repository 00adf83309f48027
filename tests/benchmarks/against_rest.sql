-- Of each person what was given to each group and at all; then of each group the rest, and who is in both.
WITH person AS (
    SELECT
        segment, respondent,
        count(score) AS n,
        sum(CASE WHEN score >= 9 THEN 1 WHEN score <= 6 THEN -1 WHEN score IS NOT NULL THEN 0 END) AS worth,
        min(time_answered) FILTER (score IS NOT NULL)::DATE AS since,
        max(time_answered) FILTER (score IS NOT NULL)::DATE AS until
    FROM responses
    WHERE kind = 'nps'
    GROUP BY ALL
),
beside AS (
    SELECT *, sum(n) OVER (PARTITION BY respondent) AS n_all, sum(worth) OVER (PARTITION BY respondent) AS worth_all FROM person
)
SELECT
    segment,
    sum(n)::BIGINT AS n,
    (SELECT sum(n) FROM person)::BIGINT - sum(n)::BIGINT AS n_rest,
    count(*) FILTER (n > 0 AND n_all > n) AS n_both,
    sum(n * n) AS nn, sum(n * worth) AS nw, sum(worth * worth) AS ww,
    sum(n * n_all) AS nn_all, sum(n * worth_all) AS nw_all, sum(worth * n_all) AS wn_all, sum(worth * worth_all) AS ww_all,
    min(since) AS since,
    max(until) AS until
FROM beside
GROUP BY segment
