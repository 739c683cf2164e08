"""Tells twistd that there is an ``e2d``."""

from twisted.application.service import ServiceMaker

e2d = ServiceMaker("e2d", "e2d.tap", "Deploys and keeps alive etcd.", "e2d")
