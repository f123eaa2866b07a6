"""The loop: fold, decide, act, record."""
