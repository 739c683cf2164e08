"""One suite per interface: the fake and the real thing must both pass it."""
