"""LocalChat's control plane: who is calling, may they, is the body sound. nginx carries the bytes."""
