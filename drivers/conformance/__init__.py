"""What every driver must do, and a plug-in for pytest that holds drivers to it.

`promises` has one function per promise (those about what is repeated or resumed are in `orders`),
`spoilable` the wire on which a driver is tried, `specimens` what an author says of a driver, and
`plugin` runs every promise over every driver of a distribution. Nothing is imported before it is
needed.
"""
