"""The Exosite Device API for Python applications on a gateway (Python 2.7 and 3, standard library only)."""
