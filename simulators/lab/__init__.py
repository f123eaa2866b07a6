"""The physics behind the twins: a sputter chamber, its samples, an arm and a probe station."""
