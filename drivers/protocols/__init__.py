"""Pure framing: what goes over a wire and what comes back, without any input or output.

A conversation with a device is a generator (`framing.Dialogue`): it yields what to write and how
the end of the reply is recognised, and is sent the reply. The transport plays it from its first
byte to its last without letting anybody else in between.
"""
