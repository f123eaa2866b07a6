"""Twins: virtual instruments that answer the bytes of the real ones, over one shared lab.

They read their protocols on their own account (not through the drivers' code), so that driver and
twin are two readings of the same manual. Nothing here was compared with real hardware.
"""
