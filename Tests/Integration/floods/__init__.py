"""Attacks on a live gateway, and how to tell that they gain nothing."""
