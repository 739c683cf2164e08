"""How nodes are found, this one included."""
