"""The clinician's pages: those of the portal that need both the record and the program."""
