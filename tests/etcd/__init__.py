"""Tests of `e2d.etcd`."""
