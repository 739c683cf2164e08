"""Tests of the memberlist protocol."""
