"""Dead letters: look through them, archive them, and send them back."""
