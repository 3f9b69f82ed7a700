"""Decoding: recordings of all supported formats to samples, in constant memory."""
