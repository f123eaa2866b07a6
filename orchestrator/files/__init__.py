"""Campaign files, lab files and tables: from text to the model, every mistake at once.

`load_campaign` and `load_lab` read and check; `check_together` holds one against the other.
"""
