"""History in, proposals out. torch is needed by `modelled` and what it imports, nowhere else."""
