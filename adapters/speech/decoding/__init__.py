"""From a recording of any supported format to samples, in constant memory."""
