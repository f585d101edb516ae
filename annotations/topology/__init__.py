"""Rollouts of one task laid on one another: pure, no Django in it."""
