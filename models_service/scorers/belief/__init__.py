"""Scorers that ask a language model how likely it finds an answer, or a step, as a trajectory goes on."""
