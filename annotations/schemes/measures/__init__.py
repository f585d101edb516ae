"""What the sources of presets compute from the answers: pure functions, each with where it comes from."""
