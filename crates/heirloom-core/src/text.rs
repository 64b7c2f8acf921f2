//! How text is compared, cut into words and shown around what was found.
//!
//! One folding for the index and for queries on both databases, so that what is found never depends
//! on which database runs. It errs on the side of finding: `Müller` is found by `muller`, `Strasse`
//! by `straße`, `١٩٧٤` by `1974`. It knows no languages: `mueller` does not find `Müller`, and word
//! stems are not its business.
//!
//! - [`fold`] makes two spellings of one word the same text.
//! - [`tokens`] cuts a text into folded words that know where they stand in it.
//! - [`Phrase`] is words that are looked for, one after the other.
//! - [`snippet`] is the part of a text that shows best why it was found.
//! - [`count_edits`] says how far two spellings are apart.
//! - [`spread`] says where the words of a corrected text are.

mod edits;
mod fold;
mod phrase;
mod snippet;
mod spread;
#[cfg(test)]
mod tests;
mod tokens;

pub use edits::count_edits;
pub use fold::fold;
pub use phrase::Phrase;
pub use snippet::{Snippet, snippet};
pub use spread::{Span, spread};
pub use tokens::{MAX_TOKEN_CHARS, Token, Tokens, tokens};
