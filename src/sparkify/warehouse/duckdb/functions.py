"""Functions of Redshift that DuckDB lacks, or has only slower: macros of every connection."""

from __future__ import annotations

# What `dialect` writes for STRTOL(SUBSTRING(MD5(text), 1, 15), 16).
MD5_BITS = "md5_first_60_bits"


def _swapped(value: str, mask: int, bits: int) -> str:
    """Return SQL that swaps neighbours of so many bits, of which ``mask`` keeps every second."""
    return f"((({value} & {mask}::UBIGINT) << {bits}) | (({value} >> {bits}) & {mask}::UBIGINT))"


def _md5_bits() -> str:
    # DuckDB gives the digest's bytes as a number, the first byte lowest: without writing and reading hex
    # digits, a quarter of the time, but the bytes have to be turned round.
    value = f"CAST(md5_number(text) & {2**64 - 1}::UHUGEINT AS UBIGINT)"
    for mask, bits in ((0x00FF00FF00FF00FF, 8), (0x0000FFFF0000FFFF, 16), (0x00000000FFFFFFFF, 32)):
        value = _swapped(value, mask, bits)
    return f"CAST({value} >> 4 AS BIGINT)"


MACROS = (
    # STRTOL(hex, 16): 15 hex digits are the most that both engines read alike (64 bits, signed).
    "CREATE TEMP MACRO IF NOT EXISTS from_base(digits, base) AS CAST('0x' || digits AS BIGINT)",
    f"CREATE TEMP MACRO IF NOT EXISTS {MD5_BITS}(text) AS {_md5_bits()}",
)
