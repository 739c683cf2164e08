"""Seeded runs of many nodes."""
