"""Process reward models that a server holds."""
