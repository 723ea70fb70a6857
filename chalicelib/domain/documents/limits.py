"""The limits of documents: how large, how many, how long. Each has its source."""

from datetime import timedelta

MEGABYTE = 1024 * 1024

MAX_FILE_BYTES = 25 * MEGABYTE
"""The largest file, in bytes. Enough for a scanned report of 100 pages. Source: this product's contract (2026-11)."""

MAX_FILES = 30
"""How many files a referral can have that are not rejected or removed. This product's own choice (2026-11)."""

MAX_TOTAL_BYTES = 250 * MEGABYTE
"""How many bytes these files can have together. This product's own choice (2026-11)."""

UPLOAD_FORM_LIFETIME = timedelta(minutes=10)
"""How long the signed upload form can be used: enough for 25 MB at 0.4 Mbit/s. Our own choice (2026-11)."""

LINK_LIFETIME = timedelta(seconds=60)
"""How long a link to a document can be opened. It is used at once, and may end up in a browser's history."""

UPLOAD_EXPIRES_AFTER = timedelta(hours=1)
"""When an upload counts as never arrived. The form cannot be used anymore by then, and the news of a file that
arrived in time had 50 minutes to reach us."""

RECHECK_AFTER = timedelta(minutes=15)
"""When a missing check or scan is requested again. A scan usually takes seconds. Our own choice (2026-11)."""

CHECK_GIVES_UP_AFTER = timedelta(minutes=60)
"""When a file without a check or scan is rejected. Only a clean scan opens a file. Our own choice (2026-11)."""

MAX_PAGES = 500
"""The most pages of a PDF, or frames of a TIFF. A complete record of a CAR T referral has 50 to 200 pages."""

MAX_PDF_OBJECTS = 100_000
"""The most objects of a PDF. A page of a scanned report has about 5."""

MAX_PIXELS = 50_000_000
"""The most pixels of an image. A letter page at 600 dpi has 34 million, and a phone photo about 12 million."""

CHECK_SECONDS = 60
"""How long the check of a file may take."""

CHECK_MEMORY_BYTES = 1024 * MEGABYTE
"""How much memory the check of a file may use. An image of `MAX_PIXELS` takes 200 MB, and its copy as much again."""
