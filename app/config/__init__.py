"""The configuration file: from YAML text to Settings, or to every problem at once with its path.

The stages, in the order of load.parse():

    document    YAML to plain data          files       the content of *_file
    expand      ${NAME}                     references  names that must exist elsewhere in the file
    entries     a provider fits its kind    judge       types and ranges: settings.py and its parts

A new key is a field in settings.py or one of its parts.
"""
