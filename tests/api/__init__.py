"""Tests of what the daemon tells and is told."""
