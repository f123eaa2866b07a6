"""Three dyes and water, matched to a target spectrum with the least dye."""
