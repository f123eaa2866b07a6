"""What a user looks at: report page, chart data, figures for paper, tables.

Input is always a campaign and the state folded from its events; nothing here asks an instrument, a
journal or the network.
"""
