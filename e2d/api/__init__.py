"""What the daemon tells (HTTP) and what it is told (control socket)."""
