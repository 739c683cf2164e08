"""e2d deploys etcd clusters and keeps them alive."""

__all__ = ["__version__"]

__version__ = "0.1.0"
