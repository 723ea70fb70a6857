"""Imports and exports the center directory as a CSV file.

    sheet       parses a CSV file into rows, or lists everything that is wrong with it
    columns     the columns of the file and the parser of each column
    export      writes the directory as a CSV file
    publishing  compares a file with the directory and publishes a new version
    history     lists the versions of the directory and what each import changed

docs/centers.md explains the file to the people who fill it in.
docs/decisions/0020-center-finder.md explains this design. This package does not ship, because only
an operator imports.
"""
