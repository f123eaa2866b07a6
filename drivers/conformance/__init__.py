"""What every driver must do, and a plug-in for pytest that holds drivers to it.

`promises` has one function per promise, `specimens` what an author says of a driver, and `plugin`
runs every promise over every driver of a distribution. Nothing is imported before it is needed.
"""
