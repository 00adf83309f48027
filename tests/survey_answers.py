"""Answers that hypothesis makes up, for the tests of what is measured on them."""

import pandas as pd
from hypothesis import strategies as st

TIMES = ["2026-01-05", "2026-02-17 23:59", "2026-04-30", "2025-02-01"]


@st.composite
def answers(draw, *, times=False):
    """Answers of a few people in two plans, some skipped, some not signed, some weighing more; with the time of each."""
    size = draw(st.integers(1, 60))

    def column(values):
        return draw(st.lists(values, min_size=size, max_size=size))

    frame = pd.DataFrame(
        {
            "score": pd.array(column(st.one_of(st.none(), st.integers(0, 10))), dtype="Int64"),
            "plan": pd.Series(["a", *column(st.sampled_from(["a", "b", None]))][:size], dtype=object),
            "respondent": pd.Series(["p0", *column(st.sampled_from(["p1", "p2", "p3", "p4", "p5", None]))][:size], dtype=object),
            "weight": column(st.floats(0.01, 50)),
        }
    )
    return frame.assign(time_answered=pd.to_datetime(column(st.sampled_from(TIMES)), format="ISO8601")) if times else frame
