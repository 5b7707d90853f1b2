"""How HTTP is read and answered, whatever is asked."""
