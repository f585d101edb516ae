"""Scorers of how far a trajectory has come."""
