"""What other data know of a question that has few of its own."""
