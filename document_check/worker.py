"""The process of one check: `python -m document_check.worker SOURCE TYPE CLEANED`. Prints the outcome as JSON.

It ends with `LIBRARY_MISSING` if a library cannot be loaded: then the function is broken, and not the file.
"""

import json
import resource
import sys
from pathlib import Path

from chalicelib.domain.documents.file_types import FileType
from chalicelib.domain.documents.limits import CHECK_MEMORY_BYTES, CHECK_SECONDS, MAX_FILE_BYTES
from document_check.checks import check_file
from document_check.outcomes import RefusedFileError

LIBRARY_MISSING = 65
"""An exit code that neither Python nor a signal gives. Our own choice."""


def main(source: str, file_type: str, cleaned: str) -> None:
    """Limit this process, then check one file."""
    resource.setrlimit(resource.RLIMIT_AS, (CHECK_MEMORY_BYTES, CHECK_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CHECK_SECONDS, CHECK_SECONDS))
    # A copy that grows without end stops here, and not when the disk is full.
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MAX_FILE_BYTES, 2 * MAX_FILE_BYTES))
    try:
        content = check_file(Path(source), FileType(file_type), Path(cleaned))
    except RefusedFileError as e:
        sys.stdout.write(json.dumps({"reason": e.reason}))
    except ImportError:
        sys.exit(LIBRARY_MISSING)
    else:
        sys.stdout.write(json.dumps({"reason": None, "pages": content.pages, "removed": content.removed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
