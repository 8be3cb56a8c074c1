//! The nearest known word, for answers to a typo.

/// The one of `known` that `word` was probably meant to be, if any is close enough.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A hostile or mangled word must not cost more than a look.
    if word.len() > 100 {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let score = |known: &str| strsim::damerau_levenshtein(&word, known);
    let (distance, best) = known.map(|known| (score(known), known)).min_by_key(|(d, _)| *d)?;
    let close = distance <= best.len().max(word.len()).div_ceil(3);
    close.then_some(best)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        let known = ["ports", "workers", "addresses"];
        assert_eq!(nearest("prots", known.into_iter()), Some("ports"));
        assert_eq!(nearest("Worker", known.into_iter()), Some("workers"));
        assert_eq!(nearest("zzzzzzz", known.into_iter()), None);
    }
}
