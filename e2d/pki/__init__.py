"""Keys and certificates as values. Pure."""
