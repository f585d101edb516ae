"""Scorers that hold a trajectory against what its task names as true."""
