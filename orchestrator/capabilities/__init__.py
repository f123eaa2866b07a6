"""Capabilities: the typed contract of a role.

A capability is a class whose methods declare actions (`orchestrator.ports.action`) and do nothing.
A resource fulfils it when it has every action, with every argument and result in a unit of the
same dimension (`orchestrator.files.together.fulfils`); its limits may be narrower. A lab adds its
own by the entry point `hagane.capabilities`.
"""
