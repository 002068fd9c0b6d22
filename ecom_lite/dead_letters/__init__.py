"""Dead letters after the fact: looked at, sent again after a fix, emptied. The rows stay, so that the count closes."""
