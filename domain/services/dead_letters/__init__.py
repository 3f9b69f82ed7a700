"""Dead letters: inspection, archiving, deletion and redrive."""
