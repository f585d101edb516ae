"""From what somebody hands in (a file, an archive, a folder) to sources of bytes, and from these to JSON values."""
