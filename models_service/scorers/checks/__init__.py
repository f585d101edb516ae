"""Scorers that run a check and say whether it held."""
