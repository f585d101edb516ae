"""Pictures of every page for the documents: `make screenshots` makes docs/screenshots/ anew."""
