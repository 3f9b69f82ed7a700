"""A local server that speaks OpenAI's protocol, and misbehaves as real ones were seen to do."""
