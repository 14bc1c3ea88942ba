"""The back door: how bytes reach a provider and come back. The only room that imports requests and urllib3."""
