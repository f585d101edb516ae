"""Probes: trajectories of which the truth is known, changed in one place, and what a judge that can be believed makes
of the change. Pure: what is asked, and what answers are worth. Whoever has a judge asks it."""
