//! Rust sources as words: comments and strings set aside, test code marked.
//!
//! Just enough of the language's lexical grammar for house rules; it resolves no names.

/// One word or sign of code.
#[derive(Clone, Debug)]
pub struct Token {
    /// An identifier, a number, or one sign; a string or character is `""`.
    pub text: String,
    /// Counted from 1.
    pub line: usize,
    /// Inside an item under `#[cfg(test)]`, or in a file that holds nothing else.
    pub in_test: bool,
}

/// A comment with its slashes.
#[derive(Clone, Debug)]
pub struct Comment {
    pub text: String,
    pub line: usize,
}

/// One file.
#[derive(Debug)]
pub struct Source {
    /// From the root of the tree, with `/`.
    pub path: String,
    pub text: String,
    pub tokens: Vec<Token>,
    pub comments: Vec<Comment>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let (mut tokens, comments) = Lexer { chars: text.chars().collect(), at: 0, line: 1 }.read();
        mark_tests(&mut tokens, is_test_file(path));
        Self { path: path.to_owned(), text: text.to_owned(), tokens, comments }
    }

    /// The module path below `src/`: `src/turn/relay/peer.rs` is turn, relay, peer.
    pub fn module_path(&self) -> Vec<&str> {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let inner = inner.trim_end_matches(".rs");
        inner.split('/').filter(|part| *part != "mod").collect()
    }

    /// The first part of the module path: what the arrows are drawn between.
    pub fn module(&self) -> &str {
        self.module_path().first().copied().unwrap_or_default()
    }

    /// Text of the token at `index`, `""` beyond the end.
    pub fn word(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| &token.text)
    }

    /// Whether `::` stands at `index`.
    pub fn path_separator(&self, index: usize) -> bool {
        self.word(index) == ":" && self.word(index + 1) == ":"
    }

    /// What a path that goes on at `index` (just behind a `::`) names first: one word, or all the
    /// first words of a `{…}` group.
    pub fn first_names(&self, index: usize) -> Vec<(String, usize)> {
        let at = |i: usize| (self.word(i).to_owned(), self.tokens[i].line);
        if index >= self.tokens.len() {
            return Vec::new();
        }
        if self.word(index) != "{" {
            return vec![at(index)];
        }
        let mut names = Vec::new();
        let (mut depth, mut fresh) = (0, false);
        for i in index..self.tokens.len() {
            match self.word(i) {
                "{" => (depth, fresh) = (depth + 1, depth == 0),
                "}" if depth == 1 => break,
                "}" => depth -= 1,
                "," => fresh = depth == 1,
                _ if fresh => {
                    names.push(at(i));
                    fresh = false;
                }
                _ => {}
            }
        }
        names
    }

    /// Lines that are not test code.
    pub fn lines_without_tests(&self) -> usize {
        let total = self.text.lines().count();
        let mut in_test: Vec<usize> =
            self.tokens.iter().filter(|token| token.in_test).map(|token| token.line).collect();
        in_test.dedup();
        match (in_test.first(), in_test.last()) {
            (Some(first), Some(last)) if is_one_block(&self.tokens) => total - (last - first + 1),
            _ => total - in_test.len(),
        }
    }
}

fn is_one_block(tokens: &[Token]) -> bool {
    tokens.windows(2).filter(|pair| !pair[0].in_test && pair[1].in_test).count() <= 1
}

fn is_test_file(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let file = parts.next().unwrap_or_default();
    file == "tests.rs" || file.ends_with("_tests.rs") || parts.any(|part| part == "tests")
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Lexer {
    fn read(mut self) -> (Vec<Token>, Vec<Comment>) {
        let (mut tokens, mut comments) = (Vec::new(), Vec::new());
        while let Some(c) = self.peek(0) {
            let (line, start) = (self.line, self.at);
            if c.is_whitespace() {
                self.step();
                continue;
            }
            if c == '/' && matches!(self.peek(1), Some('/' | '*')) {
                self.comment();
                comments.push(Comment { text: self.since(start), line });
                continue;
            }
            if self.string() || self.character() {
                tokens.push(Token { text: "\"\"".into(), line, in_test: false });
                continue;
            }
            if c.is_alphanumeric() || c == '_' {
                while self.peek(0).is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    self.step();
                }
            } else {
                self.step();
            }
            tokens.push(Token { text: self.since(start), line, in_test: false });
        }
        (tokens, comments)
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn step(&mut self) {
        if self.peek(0) == Some('\n') {
            self.line += 1;
        }
        self.at += 1;
    }

    fn since(&self, start: usize) -> String {
        self.chars[start..self.at.min(self.chars.len())].iter().collect()
    }

    fn comment(&mut self) {
        if self.peek(1) == Some('/') {
            while self.peek(0).is_some_and(|c| c != '\n') {
                self.step();
            }
            return;
        }
        let mut depth = 0;
        while let Some(c) = self.peek(0) {
            let opens = c == '/' && self.peek(1) == Some('*');
            let closes = c == '*' && self.peek(1) == Some('/');
            if opens || closes {
                depth = if opens { depth + 1 } else { depth - 1 };
                self.step();
            }
            self.step();
            if depth == 0 {
                return;
            }
        }
    }

    /// `"…"`, `b"…"`, `c"…"`, `r#"…"#` and their mixtures.
    fn string(&mut self) -> bool {
        let mut ahead = 0;
        while self.peek(ahead).is_some_and(|c| matches!(c, 'b' | 'c' | 'r')) && ahead < 2 {
            ahead += 1;
        }
        let raw = ahead > 0 && self.peek(ahead - 1) == Some('r');
        let mut hashes = 0;
        while raw && self.peek(ahead + hashes) == Some('#') {
            hashes += 1;
        }
        if self.peek(ahead + hashes) != Some('"') {
            return false;
        }
        for _ in 0..=ahead + hashes {
            self.step();
        }
        while let Some(c) = self.peek(0) {
            self.step();
            if c == '\\' && !raw {
                self.step();
            } else if c == '"' && (0..hashes).all(|i| self.peek(i) == Some('#')) {
                (0..hashes).for_each(|_| self.step());
                break;
            }
        }
        true
    }

    /// `'x'`, `'\n'`, `b'x'`; a lifetime is none.
    fn character(&mut self) -> bool {
        let ahead = usize::from(self.peek(0) == Some('b') && self.peek(1) == Some('\''));
        if self.peek(ahead) != Some('\'') {
            return false;
        }
        let escaped = self.peek(ahead + 1) == Some('\\');
        if !escaped && self.peek(ahead + 2) != Some('\'') {
            return false;
        }
        for _ in 0..ahead + if escaped { 3 } else { 2 } {
            self.step();
        }
        while self.peek(0).is_some_and(|c| c != '\'') {
            self.step();
        }
        self.step();
        true
    }
}

/// Marks the items that `#[cfg(test)]` stands above.
fn mark_tests(tokens: &mut [Token], all: bool) {
    let mut at = 0;
    while at < tokens.len() {
        let end = if all { tokens.len() } else { test_item_end(tokens, at).unwrap_or(at) };
        tokens[at..end].iter_mut().for_each(|token| token.in_test = true);
        at = end.max(at + 1);
    }
}

/// Where the item ends that a `#[cfg(test)]` at `at` belongs to.
fn test_item_end(tokens: &[Token], at: usize) -> Option<usize> {
    let word = |i: usize| tokens.get(i).map_or("", |token| token.text.as_str());
    if word(at) != "#" || word(at + 1) != "[" || word(at + 2) != "cfg" {
        return None;
    }
    let close = (at..tokens.len()).find(|&i| word(i) == "]")?;
    let condition: Vec<&str> = (at + 3..close).map(word).collect();
    if !condition.contains(&"test") || condition.contains(&"not") {
        return None;
    }
    let mut depth = 0_i32;
    for i in close + 1..tokens.len() {
        match word(i) {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(word(i), "}" | ";") {
            return Some(i + 1);
        }
    }
    Some(tokens.len())
}
