"""Tests of e2d.pki."""
