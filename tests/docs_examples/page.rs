//! Finds the examples in a page of Markdown.

use serde_json::Value;

/// A page's examples, and what their server is started with.
#[derive(Debug, Default)]
pub struct Page {
    pub server: Vec<String>,
    pub examples: Vec<Example>,
}

/// One fence of commands.
#[derive(Debug)]
pub struct Example {
    /// Where its fence begins, counted from 1.
    pub line: usize,
    pub commands: String,
    /// What the last command prints, if the page shows it.
    pub answer: Option<Value>,
}

const SERVER: &str = "<!-- server:";

impl Page {
    /// Reads a page. The error says what is wrong with its fences.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut page = Self::default();
        // Whether the last fence was an example: a fence of JSON then is its answer.
        let mut behind_example = false;
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            if let Some(arguments) = line.strip_prefix(SERVER) {
                let arguments = arguments.trim().trim_end_matches("-->");
                page.server.extend(arguments.split_whitespace().map(str::to_owned));
            }
            let Some(kind) = line.strip_prefix("```") else { continue };
            let content =
                fence(&mut lines).ok_or(format!("the fence at line {} has no end", index + 1))?;
            match kind.trim() {
                "sh run" => {
                    page.examples.push(Example { line: index + 1, commands: content, answer: None })
                }
                "json" if behind_example => {
                    let answer = serde_json::from_str(&content)
                        .map_err(|error| format!("the answer at line {}: {error}", index + 1))?;
                    page.examples.last_mut().expect("one is before").answer = Some(answer);
                }
                _ => {}
            }
            behind_example = kind.trim() == "sh run";
        }
        Ok(page)
    }
}

fn fence<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Option<String> {
    let mut content = String::new();
    for (_, line) in lines {
        if line.trim_end() == "```" {
            return Some(content);
        }
        content += line;
        content.push('\n');
    }
    None
}
