"""Configuration text to a checked ``Configuration``. Pure."""
