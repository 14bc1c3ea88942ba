"""What AWS does in a way of its own: signed requests and binary streams of events. The only door to botocore.

It is an extra (`bedrock`), so that it is imported where it is needed; a provider that needs it where it is not
installed is refused when the configuration is read.
"""
