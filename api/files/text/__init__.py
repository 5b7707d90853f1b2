"""The text in uploads: read apart, kept beside them, given page by page."""
