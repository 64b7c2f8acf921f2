//! Where the words of a corrected text are, by where those are that it replaces.

use super::fold;

/// From where to where: milliseconds, or a share of a line.
pub type Span = (u64, u64);

/// Spreads words over a stretch in which other words were known: what begins and what ends as it was known keeps its
/// place, and the words between share what is left, each as much as it has letters.
#[must_use]
pub fn spread(known: &[(&str, Span)], words: &[&str], within: Span) -> Vec<Span> {
    let is_same =
        |(word, (known, _)): &(&&str, &(&str, Span))| letters_of(word) == letters_of(known);
    let first = words.iter().zip(known).take_while(is_same).count();
    let most = words.len().min(known.len()) - first;
    let (rest, known_rest) = (&words[first..], &known[first..]);
    let last = rest.iter().rev().zip(known_rest.iter().rev());
    let last = last.take(most).take_while(is_same).count();
    let (between, known_between) = (
        &rest[..rest.len() - last],
        &known_rest[..known_rest.len() - last],
    );
    let from = match (known_between.first(), first.checked_sub(1)) {
        (Some((_, span)), _) => span.0,
        (None, Some(before)) => known[before].1.1,
        (None, None) => within.0,
    };
    let until = match (known_between.last(), last) {
        (Some((_, span)), _) => span.1,
        (None, 0) => within.1,
        (None, last) => known[known.len() - last].1.0,
    };
    let letters = |words: &[&str]| -> u64 {
        let letters = words.iter().map(|word| word.chars().count() as u64);
        letters.sum()
    };
    let all = letters(between).max(1);
    let share = |count: usize| from + until.saturating_sub(from) * letters(&between[..count]) / all;
    let span = |(_, span): &(&str, Span)| *span;
    (known[..first].iter().map(span))
        .chain((0..between.len()).map(|at| (share(at), share(at + 1))))
        .chain(known[known.len() - last..].iter().map(span))
        .collect()
}

/// A word without the marks around it, in whatever case.
fn letters_of(word: &str) -> String {
    fold(word.trim_matches(|letter: char| !letter.is_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_stay_keep_their_places_and_others_share_what_is_left() {
        let known = [
            ("We", (0, 10)),
            ("saw", (12, 20)),
            ("hart", (22, 30)),
            ("wrist.", (32, 50)),
        ];
        assert_eq!(
            spread(&known, &["we", "saw", "harvests."], (0, 50)),
            [(0, 10), (12, 20), (22, 50)]
        );
        assert_eq!(
            spread(&known, &["We", "saw", "the", "hart", "wrist"], (0, 50)),
            [(0, 10), (12, 20), (20, 22), (22, 30), (32, 50)]
        );
        assert_eq!(spread(&[], &["a", "bcd"], (10, 50)), [(10, 20), (20, 50)]);
        assert_eq!(spread(&known, &[], (0, 50)), []);
    }
}
