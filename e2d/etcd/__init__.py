"""etcd itself: its process, its data directory, its API."""
