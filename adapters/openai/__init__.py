"""Services that speak OpenAI's protocol: speech recognition and transcript cleaning over the network."""
