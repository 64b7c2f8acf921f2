//! How far two spellings are apart.

/// The letters to insert, remove or exchange to get from one text to the other (Levenshtein 1965).
#[must_use]
pub fn count_edits(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (n, a) in from.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], n + 1);
        for (m, b) in to.iter().enumerate() {
            let exchanged = diagonal + usize::from(a != b);
            diagonal = row[m + 1];
            row[m + 1] = exchanged.min(diagonal + 1).min(row[m] + 1);
        }
    }
    row[to.len()]
}
