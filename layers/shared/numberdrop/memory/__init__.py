"""The verdict memory: verdicts that were bought before, so that nobody pays twice while one is young."""
