"""The function that checks uploaded files, in a bundle of its own.

It is the only part of the product that reads the bytes of a file from a person, so it has the least
access: it reads uploads and writes cleaned copies in the quarantine bucket, and reports its results as
events. It reads no table and no key of health data. Its libraries for PDF and images are large, and no
other function loads them.

    handler    an object arrived: check it, store the cleaned copy, report the result
    sandbox    runs a check in a process of its own, with limits on time and memory
    worker     the entry point of that process
    checks     which type a file is, and what is refused before a library reads it
    pdf        checks and rewrites a PDF
    images     checks and re-encodes an image
"""
