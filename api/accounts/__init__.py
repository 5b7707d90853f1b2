"""Who is calling: accounts, tokens, logins."""
