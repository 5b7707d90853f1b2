"""Reads the text in documents that nobody vouches for, each in a process of its own that can do nothing else."""
