"""Methods of screening beside reference values."""
