"""Macros for Redshift functions that DuckDB lacks or runs more slowly; every connection has them."""

from __future__ import annotations

# STRTOL(hex, 16): 15 hex digits are the most that both engines read alike (64 bits, signed).
_FROM_BASE = "CREATE TEMP MACRO IF NOT EXISTS from_base(digits, base) AS CAST('0x' || digits AS BIGINT)"

# The translation of STRTOL(SUBSTRING(MD5(text), 1, 15), 16) by `dialect`.
MD5_BITS = "md5_first_60_bits"

# DuckDB returns an MD5 as a little-endian number. Reversing eight bytes (swap neighbours, then pairs, then
# halves) takes a tenth of the time of writing and reading hex digits.
_SWAP = """CREATE TEMP MACRO IF NOT EXISTS swap_bits(number, bits, mask) AS
    ((number & mask) << bits) | ((number >> bits) & mask)"""
_MD5 = f"""CREATE TEMP MACRO IF NOT EXISTS {MD5_BITS}(text) AS CAST(
    swap_bits(
        swap_bits(
            swap_bits(
                CAST(md5_number(text) & {2**64 - 1}::UHUGEINT AS UBIGINT),
                8, {0x00FF00FF00FF00FF}::UBIGINT
            ),
            16, {0x0000FFFF0000FFFF}::UBIGINT
        ),
        32, {0x00000000FFFFFFFF}::UBIGINT
    ) >> 4 AS BIGINT
)"""

MACROS = (_FROM_BASE, _SWAP, _MD5)
