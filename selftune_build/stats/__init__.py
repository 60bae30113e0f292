"""Closed forms behind the verdicts: exact tails, intervals, the rate and lift tests, and how many cases they need."""
