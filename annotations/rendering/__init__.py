"""What a step looks like: its texts, how equal steps are known, and text made into inert HTML. No models here."""
