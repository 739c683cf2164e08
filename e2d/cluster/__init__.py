"""What to do about etcd: pure decisions over frozen observations."""
