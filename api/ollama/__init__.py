"""What may be asked of Ollama, and how it is asked."""
