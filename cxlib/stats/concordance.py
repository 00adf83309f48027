"""How well a score puts those who leave before those who stay: Harrell's concordance, on counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cxlib.stats.cox import Cells
from cxlib.stats.cox_risk import Risk, counts

#: Numbers held at once.
_ROOM = 2**22


def concordance(cells: Cells, scores: npt.ArrayLike) -> float:
    """Share of the comparable pairs in which the one who left had the higher score; a pair of equal scores is half right.

    ``scores`` has one number a pattern, such as the covariates times the coefficients of a Cox model. Comparable is who
    left with everybody of the stratum who was at risk then and stayed longer (Harrell et al. 1996, Statistics in Medicine
    15, 361-387); two who left on the same day are not. Missing where there is no such pair. It tells order only: a score
    may order well and be wrong by any factor.
    """
    # The last digits of a sum must not put equal customers in an order.
    ranks, rank = np.unique(np.round(np.asarray(scores, dtype=float), 12), return_inverse=True)
    if not np.any(cells.ended):
        return float("nan")
    cells = replace(cells, pattern=rank[cells.pattern])
    risk = Risk.counted(cells, ranks[:, None])
    ends = [counts(cells.spells.astype(float), at, cells.pattern, (len(risk.tied) + 1, len(ranks))) for at in (risk.last, risk.first)]
    steps = (ends[0] - ends[1]).tocsr()
    times, size = len(risk.tied), max(1, _ROOM // len(ranks))
    right = pairs = 0.0
    later = np.zeros(len(ranks))
    for to in range(times, 0, -size):
        at = max(0, to - size)
        here = np.cumsum(steps[at + 1 : to + 1].toarray()[::-1], axis=0)[::-1] + later
        gone, later = risk.leavers[at:to].toarray(), here[0]
        stay = here - gone
        # Counts and their halves, so the sums are exact.
        right += float((gone * (np.cumsum(stay, axis=1) - stay / 2)).sum())
        pairs += float((gone.sum(axis=1) * stay.sum(axis=1)).sum())
    return right / pairs if pairs else float("nan")
