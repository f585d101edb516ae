"""Judges measured against people: one report of all of them. See board for what it holds."""
