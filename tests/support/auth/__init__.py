"""An OpenID Connect issuer on this machine."""
