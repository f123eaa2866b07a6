"""The domain: what a campaign, a trial, a sample, an observation and an event are."""
