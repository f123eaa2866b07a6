"""Every driver with a twin: ten thousand faults, and how quick the transports are."""
