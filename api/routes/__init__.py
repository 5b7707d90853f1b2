"""The public endpoints: one noun a file."""
