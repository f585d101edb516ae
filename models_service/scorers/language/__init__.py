"""What a language model can be asked by a scorer, and who answers: a local folder, or a server."""
