//! A text as the likeliest row of pieces (Kudo, "Subword Regularization", 2018).

use std::collections::HashMap;

/// Pieces of words, with how likely each is.
#[derive(Debug)]
pub(super) struct Unigram {
    pieces: HashMap<String, (u32, f32)>,
    /// What stands for letters that are in no piece, and how likely that is.
    unknown: (u32, f32),
    /// What letters are taken for: such as wide ones for others.
    taken: HashMap<char, String>,
    /// The letters of the longest piece.
    longest: usize,
}

/// A space, where it is a letter.
const SPACE: char = '\u{2581}';
/// By how much letters that nobody knows are less likely than the rarest piece.
const RARER: f32 = 10.0;
/// More letters are not read.
const MOST_CHARS: usize = 4_000;

impl Unigram {
    pub(super) fn new<'a>(
        pieces: impl Iterator<Item = (&'a str, f32)>,
        unknown: usize,
        taken: HashMap<char, String>,
    ) -> Result<Self, String> {
        let mut known = HashMap::new();
        let (mut rarest, mut longest) = (f32::MAX, 0);
        for (id, (piece, score)) in (0_u32..).zip(pieces) {
            rarest = rarest.min(score);
            longest = longest.max(piece.chars().count());
            if id as usize != unknown {
                known.entry(piece.to_owned()).or_insert((id, score));
            }
        }
        let unknown = u32::try_from(unknown).map_err(|error| error.to_string())?;
        match rarest.is_finite() && unknown as usize <= known.len() {
            true => Ok(Self {
                pieces: known,
                unknown: (unknown, rarest - RARER),
                taken,
                longest,
            }),
            false => Err("its pieces of words are none".to_owned()),
        }
    }

    pub(super) fn tokens(&self, text: &str) -> Vec<u32> {
        let mut letters = Vec::new();
        for letter in text.chars().take(MOST_CHARS) {
            match self.taken.get(&letter) {
                Some(taken) => letters.extend(taken.chars()),
                None => letters.push(letter),
            }
        }
        letters.dedup_by(|next, letter| *next == ' ' && *letter == ' ');
        if letters.first() != Some(&' ') {
            letters.insert(0, ' ');
        }
        let letters = letters.into_iter();
        let letters: Vec<char> = letters
            .map(|letter| if letter == ' ' { SPACE } else { letter })
            .collect();
        // How likely the likeliest pieces are up to each letter, with the last of them and where that begins.
        let mut best: Vec<Option<(f32, u32, usize)>> = vec![None; letters.len() + 1];
        best[0] = Some((0.0, 0, 0));
        for start in 0..letters.len() {
            let Some((so_far, ..)) = best[start] else {
                continue;
            };
            let mut offer = |end: usize, score: f32, id: u32| {
                if best[end].is_none_or(|(score_there, ..)| score > score_there) {
                    best[end] = Some((score, id, start));
                }
            };
            let mut piece = String::new();
            for (end, letter) in letters.iter().enumerate().skip(start).take(self.longest) {
                piece.push(*letter);
                if let Some((id, score)) = self.pieces.get(&piece) {
                    offer(end + 1, so_far + score, *id);
                }
            }
            let (unknown, score) = self.unknown;
            offer(start + 1, so_far + score, unknown);
        }
        let (mut tokens, mut at) = (Vec::new(), letters.len());
        while let Some((_, id, start)) = best[at].filter(|_| at > 0) {
            tokens.push(id);
            at = start;
        }
        tokens.reverse();
        tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_row_of_pieces_is_taken() {
        let pieces = [
            ("<unk>", 0.0),
            ("\u{2581}", -3.0),
            ("\u{2581}dog", -5.0),
            ("\u{2581}do", -4.0),
            ("g", -4.0),
            ("s", -2.0),
            ("ss", -3.0),
        ];
        let taken = HashMap::from([('ｇ', "g".to_owned()), ('\n', " ".to_owned())]);
        let unigram = Unigram::new(pieces.into_iter(), 0, taken).unwrap();
        assert_eq!(unigram.tokens("dog"), [2]);
        assert_eq!(unigram.tokens("dogs"), [2, 5]);
        assert_eq!(unigram.tokens("dogss  \ndoｇ"), [2, 6, 2]);
        // What nobody knows is one token for each letter.
        assert_eq!(unigram.tokens("写s"), [1, 0, 5]);
        assert_eq!(unigram.tokens(""), [1]);
    }
}
