"""The directory of centers as a CSV file: read, checked, compared, and made to hold.

    sheet       a file's bytes as rows, or everything that is wrong with it
    columns     what each column may say, and how it is spelled
    export      the directory as such a file
    publishing  what an import would change, and the change itself
    past        what imports made of the directory

docs/centers.md is for whoever fills in such a file; docs/decisions/0020-center-finder.md says
why it is made this way. None of this ships: only an operator imports.
"""
