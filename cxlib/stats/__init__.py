"""Numbers in, numbers out: intervals and survival curves on counts, for any number of groups at once."""
