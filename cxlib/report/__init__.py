"""Notebooks and a date in, a dated report out. Nothing heavy is imported before a run needs it."""
