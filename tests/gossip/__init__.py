"""Tests of e2d.gossip."""
