"""Uploads: received, checked, stored, sent."""
