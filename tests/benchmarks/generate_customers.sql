-- Customers who joined over eight years, most of whom leave sooner or later, sooner rather than later.
SELECT
    'c' || i AS customer,
    (DATE '2018-07-01' + (hash(i, 'start') % 2922)::INT)::DATE AS start,
    CASE WHEN hash(i, 'leaves') % 100 < 80 AND leaves <= DATE '2026-06-30' THEN leaves END AS "end",
    CASE WHEN hash(i, 'leaves') % 100 < 80 AND leaves <= DATE '2026-06-30'
        THEN ['choice', 'payment failure', 'moved', NULL][1 + (hash(i, 'reason') % 4)::INT] END AS end_reason,
    CASE hash(i, 'segment') % 50 WHEN 0 THEN NULL ELSE ['private', 'business', 'public', 'partner'][1 + (hash(i, 'segment') % 4)::INT] END AS segment
FROM (
    SELECT range AS i, ((DATE '2018-07-01' + (hash(range, 'start') % 2922)::INT)
        + 1 + (least(hash(range, 'one') % 2000, hash(range, 'two') % 2000))::INT)::DATE AS leaves
    FROM range($rows)
)
