"""Credentials that are made for each request, behind one door for each package that makes them.

The packages are extras: each is imported where it is needed, and a provider that needs one that is not installed is
refused when the configuration is read.
"""
