"""Takes symbols and debugging data off the shared libraries below a folder, as `sstrip` does: for the image.

Some wheels are not stripped (uvloop's: 13.6 MB, of which 1.6 MB are loaded), and Python's slim image has no binutils.
python3 api/strip_libraries.py FOLDER
"""

import struct
import sys
from pathlib import Path

ELF_64_LITTLE_ENDIAN = b"\x7fELF\x02\x01"
SECTIONS_OFFSET, SECTIONS_SHAPE = 40, 58  # e_shoff; e_shentsize, e_shnum, e_shstrndx


def stripped(library: bytes) -> bytes:
    """Up to the end of its last segment: the loader reads nothing else, and no section."""
    if not library.startswith(ELF_64_LITTLE_ENDIAN):
        return library
    (first,) = struct.unpack_from("<Q", library, 32)
    size, count = struct.unpack_from("<HH", library, 54)
    segments = (library[first + size * number : first + size * (number + 1)] for number in range(count))
    end = max(sum(struct.unpack_from("<8xQ16xQ", segment)) for segment in segments)
    head = bytearray(library[:end])
    struct.pack_into("<Q", head, SECTIONS_OFFSET, 0)
    struct.pack_into("<HHH", head, SECTIONS_SHAPE, 0, 0, 0)
    return bytes(head)


if __name__ == "__main__":
    for path in Path(sys.argv[1]).rglob("*.so"):
        path.write_bytes(stripped(path.read_bytes()))
