"""Where accounts, keys and revocations are kept: SQLite by default, in a file on the volume `state`."""
