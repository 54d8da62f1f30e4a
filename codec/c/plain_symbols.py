#!/usr/bin/env python3
"""Makes the unique symbols (STB_GNU_UNIQUE) of a 64-bit ELF object global ones, in place.

usage: plain_symbols.py OBJECT
"""

import struct
import sys

GLOBAL, UNIQUE = 1, 10
SYMBOL_TABLE = 2
SYMBOL_BYTES, INFO = 24, 4

with open(sys.argv[1], 'r+b') as file:
  data = bytearray(file.read())
  sections, = struct.unpack_from('<Q', data, 0x28)
  entry_bytes, count = struct.unpack_from('<HH', data, 0x3a)
  for i in range(count):
    _, kind, _, _, offset, size = struct.unpack_from('<IIQQQQ', data, sections + i * entry_bytes)
    if kind != SYMBOL_TABLE:
      continue
    for at in range(offset + INFO, offset + size, SYMBOL_BYTES):
      if data[at] >> 4 == UNIQUE:
        data[at] = GLOBAL << 4 | data[at] & 15
  file.seek(0)
  file.write(data)
