"""Materials informatics: representation and generation. The door of rdkit and its friends."""
