//! Any text is a date or is refused within it; a date reads back as itself, spans time forwards and
//! stands where it says among others.

#![no_main]

use heirloom_core::Edtf;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let dates: Vec<Edtf> = text.lines().take(3).filter_map(check).collect();
    for a in &dates {
        for b in &dates {
            assert_eq!(a.cmp(b), b.cmp(a).reverse());
            assert_eq!(a.cmp(b).is_eq(), a == b);
            assert!(a > b || a.sort_key() <= b.sort_key());
            for c in &dates {
                assert!(a > b || b > c || a <= c);
            }
        }
    }
});

fn check(text: &str) -> Option<Edtf> {
    match text.parse::<Edtf>() {
        Ok(date) => {
            assert_eq!(date.to_string().parse(), Ok(date));
            let (earliest, latest) = date.interval();
            assert!(earliest.or(latest).is_some());
            assert!(
                earliest
                    .zip(latest)
                    .is_none_or(|(first, last)| first <= last)
            );
            Some(date)
        }
        Err(error) => {
            assert!(text.is_char_boundary(error.position()));
            assert!(!error.expected().is_empty() && !error.to_string().is_empty());
            None
        }
    }
}
