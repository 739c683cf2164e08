"""Tests of the decisions: literal observations, literal plans."""
