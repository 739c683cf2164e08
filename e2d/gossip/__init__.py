"""The gossip ring: what its nodes tell each other, and how it is driven."""
