"""Every way in which a provider or a client can fail, made to happen behind and in front of the real gateway."""
