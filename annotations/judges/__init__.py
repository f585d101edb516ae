"""What a judge is: its settings, its prompt, the server it is asked at. No Django, and no model is asked here."""
