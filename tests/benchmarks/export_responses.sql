-- An export of answers as a survey tool writes it: text, one row an answer; the same on every machine.
SELECT
    'r' || (i % 900000) AS respondent,
    strftime(asked, '%Y-%m') AS wave,
    ['recommend', 'satisfied', 'effort', 'staff', 'price'][1 + (hash(i, 'question') % 5)::INT] AS question,
    CASE WHEN hash(i, 'skipped') % 100 < 3 THEN NULL ELSE 1 + hash(i, 'score') % 5 END AS score,
    round(1 + (hash(i, 'weight') % 3000) / 1000, 4) AS weight,
    ['e-mail', 'app', 'web', 'store', 'phone'][1 + (hash(i, 'channel') % 5)::INT] AS channel,
    strftime(asked, '%Y-%m-%d %H:%M:%S') AS time_asked,
    strftime(asked + to_minutes((hash(i, 'wait') % 240)::BIGINT), '%Y-%m-%d %H:%M:%S') AS time_answered,
    -- One in three writes something; with a comma in it, so that it stands in quotes.
    CASE WHEN hash(i, 'writes') % 3 = 0 THEN
        ['The courier came late', 'Staff were kind', 'The invoice was wrong', 'La consegna è arrivata tardi'][1 + (hash(i, 'says') % 4)::INT]
        || ', ' || ['and nobody "answered" me', 'as always', 'twice this month', 'e nessuno ha risposto'][1 + (hash(i, 'adds') % 4)::INT]
    END AS comment
FROM (
    -- By day: at night an hour is missing once a year, and the door would set it aside.
    SELECT range AS i, TIMESTAMP '2024-07-01 08:00:00' + to_days((hash(range, 'day') % 730)::INT) + to_minutes((hash(range, 'minute') % 700)::BIGINT) AS asked
    FROM range($rows)
)
