"""The verdict memory: what checkers answered before, so that nobody pays twice while an answer is young."""
