"""Judges: language models that are asked what people are asked. Pure: what is asked and how answers are read; the
client. No tables."""
