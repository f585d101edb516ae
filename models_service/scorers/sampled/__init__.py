"""Scorers that draw continuations from a language model and see how many come to the right answer."""
