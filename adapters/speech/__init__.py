"""Decoding, voice-activity segmentation and recognition, in worker processes."""
