//! Numbers and slices out of untrusted bytes: every access answers `None` past the end.

/// The order of bytes in a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endian {
    /// Least significant byte first ("II").
    Little,
    /// Most significant byte first ("MM").
    Big,
}

/// `len` bytes from `at`.
pub(crate) fn slice(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(len)?)
}

/// What lies from `at` on, possibly nothing.
pub(crate) fn rest(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or_default()
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    slice(bytes, at, N)?.try_into().ok()
}

/// The byte at `at`.
pub(crate) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// Two bytes from `at`.
pub(crate) fn u16_at(bytes: &[u8], at: usize, endian: Endian) -> Option<u16> {
    let raw = array(bytes, at)?;
    Some(match endian {
        Endian::Little => u16::from_le_bytes(raw),
        Endian::Big => u16::from_be_bytes(raw),
    })
}

/// Four bytes from `at`.
pub(crate) fn u32_at(bytes: &[u8], at: usize, endian: Endian) -> Option<u32> {
    let raw = array(bytes, at)?;
    Some(match endian {
        Endian::Little => u32::from_le_bytes(raw),
        Endian::Big => u32::from_be_bytes(raw),
    })
}

/// Eight bytes from `at`.
pub(crate) fn u64_at(bytes: &[u8], at: usize, endian: Endian) -> Option<u64> {
    let raw = array(bytes, at)?;
    Some(match endian {
        Endian::Little => u64::from_le_bytes(raw),
        Endian::Big => u64::from_be_bytes(raw),
    })
}

/// Two bytes from `at`, most significant first.
pub(crate) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    u16_at(bytes, at, Endian::Big)
}

/// Four bytes from `at`, most significant first.
pub(crate) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    u32_at(bytes, at, Endian::Big)
}

/// Eight bytes from `at`, most significant first.
pub(crate) fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    u64_at(bytes, at, Endian::Big)
}

/// Two bytes from `at`, least significant first.
pub(crate) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    u16_at(bytes, at, Endian::Little)
}

/// Four bytes from `at`, least significant first.
pub(crate) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    u32_at(bytes, at, Endian::Little)
}

/// Eight bytes from `at`, least significant first.
pub(crate) fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    u64_at(bytes, at, Endian::Little)
}

/// A length or offset as an index; on a platform too small for it, an index past every end.
pub(crate) fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Where `needle` first lies in `bytes`.
pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(skip) = rest(bytes, from).iter().position(|byte| *byte == first) {
        let at = from.saturating_add(skip);
        if rest(bytes, at).starts_with(needle) {
            return Some(at);
        }
        from = at.saturating_add(1);
    }
    None
}
