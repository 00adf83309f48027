-- Every month of a segment with the one before: the answers of both, and the people who are in both.
WITH person AS (
    SELECT
        segment, month, respondent,
        count(score) AS n,
        count(*) FILTER (score >= 9) AS promoters,
        count(*) FILTER (score <= 6) AS detractors,
        min(time_answered) FILTER (score IS NOT NULL)::DATE AS first,
        max(time_answered) FILTER (score IS NOT NULL)::DATE AS last
    FROM responses
    WHERE kind = 'nps'
    GROUP BY ALL
),
months AS (
    SELECT
        segment, month,
        sum(n)::BIGINT AS n, sum(promoters)::BIGINT AS promoters, sum(detractors)::BIGINT AS detractors,
        min(first) AS first, max(last) AS last,
        sum(n * n) AS answers_squared, sum(n * (promoters - detractors)) AS crossed, sum((promoters - detractors) ** 2) AS worth_squared
    FROM person
    GROUP BY ALL
),
shared AS (
    SELECT
        later.segment, later.month,
        count(*) AS n_both,
        sum(earlier.n * later.n) AS aa,
        sum(earlier.n * (later.promoters - later.detractors)) AS ab,
        sum((earlier.promoters - earlier.detractors) * later.n) AS ba,
        sum((earlier.promoters - earlier.detractors) * (later.promoters - later.detractors)) AS bb
    FROM person AS earlier
    JOIN person AS later
        ON later.segment IS NOT DISTINCT FROM earlier.segment AND later.respondent = earlier.respondent
        AND later.month = earlier.month + INTERVAL 1 MONTH AND earlier.n > 0 AND later.n > 0
    GROUP BY ALL
)
SELECT
    months.segment,
    months.month AS after,
    least(before.n, months.n) AS n,
    before.n AS n_before,
    months.n AS n_after,
    before.promoters AS good_before,
    months.promoters AS good_after,
    before.detractors AS bad_before,
    months.detractors AS bad_after,
    coalesce(n_both, 0) AS n_both,
    before.first AS since_before,
    before.last AS until_before,
    months.first AS since,
    months.last AS until,
    before.answers_squared, before.crossed, before.worth_squared,
    months.answers_squared, months.crossed, months.worth_squared,
    aa, ab, ba, bb
FROM months
JOIN months AS before ON before.segment IS NOT DISTINCT FROM months.segment AND months.month = before.month + INTERVAL 1 MONTH
LEFT JOIN shared ON shared.segment IS NOT DISTINCT FROM months.segment AND shared.month = months.month
