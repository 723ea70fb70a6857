"""The function that sets a referral as a PDF, in a bundle of its own.

Its library and its fonts are larger than the rest of the product together, so no other function loads them. It
reads no table and no key, and stores nothing: the API sends what the page says, and gets the file.

    handler       the entry point: a page comes in, a PDF goes out
    render        sets a page with the template packet.typ
    characters    which characters the fonts can print
"""
