"""Has steps carried out: limits, interlocks, tickets, attempts, and computation."""
