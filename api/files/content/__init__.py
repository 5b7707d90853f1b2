"""Which files are accepted: the content decides, the name only where the content leaves it open."""
