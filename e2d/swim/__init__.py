"""The memberlist protocol without a network: packets and time in, effects out."""
