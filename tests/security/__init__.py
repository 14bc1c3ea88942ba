"""The security checklist, each line of it a test; SECURITY.md says which file holds what."""
