"""Several breakdowns at once: who stands out from the rest in any of them, all verdicts corrected together."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cxlib.groups.segments import judged_together, rests_of
from cxlib.survey.scoring import Score
from cxlib.tables import Table


def breakdowns(
    responses: Table,
    *,
    columns: Sequence[str],
    measure: str | Score = "nps",
    margin: float | None = None,
    level: float = 0.95,
) -> list[pd.DataFrame]:
    """Each group of several breakdowns against the rest, one result per breakdown.

    What `against_rest` says of each of them, in the unit of the score, with the verdicts of
    all groups of all breakdowns corrected together: who looks at ten breakdowns finds a group
    that stands out in half of all companies in which none does.

    Parameters
    ----------
    responses : pandas DataFrame or Ibis table, one row per answer
        As for `against_rest`.
    columns : sequence of str
        The breakdowns, a column each: ``["segment", "plan", "region"]``.
    measure : str or Score, default "nps"
        As for `against_rest`.
    margin : float, optional
        As for `against_rest`.
    level : float, default 0.95
        Confidence level of the intervals; 1 - ``level`` is the share of false findings
        among all that are called above or below.

    Returns
    -------
    list of DataFrame, one per column, in their order
        Each as `against_rest` gives it, with ``p_corrected``, ``verdict`` and ``better`` of
        the whole. A column that no answer has gives a result without rows, and its reason.

    Raises
    ------
    TableError
        As for `against_rest`.
    ValueError
        If an argument means nothing, or a column is named twice.

    See Also
    --------
    against_rest : one breakdown, or a crossing of several.
    cxlib.figures.against : the picture of all of them.

    Notes
    -----
    Benjamini and Hochberg [1]_ over the groups of all breakdowns. Groups of different
    breakdowns hold the same people; their tests depend on each other positively or weakly,
    for which the procedure holds [2]_ or is simulated to. It misleads where groups are made
    after looking, and it tells nothing of crossings: that a plan and a region stand out does
    not say that the plan does in that region.

    References
    ----------
    .. [1] Benjamini, Y., Hochberg, Y. (1995). Controlling the false discovery rate. Journal
       of the Royal Statistical Society B 57(1), 289-300.
    .. [2] Benjamini, Y., Yekutieli, D. (2001). The control of the false discovery rate in
       multiple testing under dependency. Annals of Statistics 29(4), 1165-1188.

    Examples
    --------
    >>> plan, region = ["free"] * 60 + ["paid"] * 60, ["north", "south"] * 60
    >>> score = [10] * 15 + [8] * 15 + [3] * 30 + [10] * 25 + [8] * 25 + [3] * 10
    >>> frame = pd.DataFrame({"plan": plan, "region": region, "score": score})
    >>> by_plan, by_region = breakdowns(frame, columns=["plan", "region"])
    >>> by_plan["verdict"].tolist(), by_region["verdict"].tolist()
    (['below', 'above'], ['cannot tell yet', 'cannot tell yet'])
    """
    score = Score.of(measure, level=level, margin=margin)
    return judged_together([rests_of(responses, score, name, margin=margin, level=level) for name in each_once(columns)], level)


def each_once(columns: Sequence[str]) -> list[str]:
    """The breakdowns that are asked for, each named once; one at least."""
    names = [columns] if isinstance(columns, str) else list(columns)
    if not names or len(set(names)) < len(names):
        raise ValueError("columns: name at least one column that makes groups, and each once, such as columns=['segment', 'plan']")
    return names
