"""The one place that knows all parts, and joins them."""
