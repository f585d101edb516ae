"""Scorers that hold what an agent says against what it has seen."""
