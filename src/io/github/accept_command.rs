//! The lines `/perfgate accept NAME|all COMMIT [reason]` of a comment.

/// Longest reason, in characters.
const MAX_REASON_CHARS: usize = 300;
/// Digits of a commit id. The beginning of an id is not enough: it is easy to create a second commit with the same beginning.
const DIGITS: [usize; 2] = [40, 64];

/// One such line.
#[derive(Debug, PartialEq, Eq)]
pub struct AcceptCommand {
    /// The benchmark; `None` for all of them.
    pub benchmark: Option<String>,
    /// The whole id of a commit, in lower case.
    pub commit: Option<String>,
    /// Why; may be empty.
    pub reason: String,
}

/// The commands of a comment. A command in a quote, a code block or an HTML comment is only mentioned.
pub fn commands(comment: &str) -> Vec<AcceptCommand> {
    let mut commands = Vec::new();
    let mut block = Block::Text;
    for line in comment.lines() {
        if block == Block::Text
            && let Some(command) = AcceptCommand::read(line)
        {
            commands.push(command);
        }
        block = block.after(line);
    }
    commands
}

/// What the next line of a comment in Markdown belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Text,
    /// A quote continues until an empty line.
    Quote,
    /// A code block ends at a line of as many such characters, or more.
    Code(char, usize),
    HtmlComment,
}

impl Block {
    fn after(self, line: &str) -> Block {
        let text = line.trim();
        let next = Block::begun_by(text);
        match self {
            Block::Code(mark, count) if text.len() >= count && text.chars().all(|c| c == mark) => Block::Text,
            Block::Code(..) => self,
            Block::HtmlComment if !text.contains("-->") => self,
            Block::Quote if next == Block::Text && !text.is_empty() => self,
            Block::Text | Block::Quote | Block::HtmlComment => next,
        }
    }

    /// The block that a line begins.
    fn begun_by(text: &str) -> Block {
        let count = |mark: char| text.chars().take_while(|c| *c == mark).count();
        let (ticks, tildes) = (count('`'), count('~'));
        match text.chars().next() {
            Some('>') => Block::Quote,
            // Backticks later in the line make it code within a line.
            Some('`') if ticks >= 3 && !text.trim_start_matches('`').contains('`') => Block::Code('`', ticks),
            Some('~') if tildes >= 3 => Block::Code('~', tildes),
            _ if text.rfind("<!--") > text.rfind("-->") => Block::HtmlComment,
            _ => Block::Text,
        }
    }
}

impl AcceptCommand {
    /// Reads a line. The name is everything before the commit id, so it may have spaces; it may be in quotes or backticks.
    fn read(line: &str) -> Option<AcceptCommand> {
        // An indented line is a code block.
        let line = line.trim_end();
        let text = line.trim_start();
        if line.starts_with('\t') || line.len() - text.len() > 3 {
            return None;
        }
        let text = after_word(after_word(text, "/perfgate")?, "accept")?;
        let commit = words(text).find_map(|(at, word)| {
            let id = word.trim_matches('`').trim_end_matches([':', ',', '.']).trim_end_matches('`');
            let is_id = DIGITS.contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
            is_id.then(|| (at, at + word.len(), id.to_ascii_lowercase()))
        });
        let (name, reason) = match &commit {
            Some((start, end, _)) => (text.get(..*start)?, text.get(*end..)?),
            None => (text, ""),
        };
        let name = name.trim();
        let wrapped = ['"', '`'].into_iter().find_map(|mark| name.strip_prefix(mark)?.strip_suffix(mark));
        let benchmark = match wrapped {
            None if name == "all" => None,
            _ => Some(wrapped.unwrap_or(name).to_owned()),
        };
        let reason = reason.trim().chars().take(MAX_REASON_CHARS).collect();
        (!name.is_empty()).then(|| AcceptCommand { benchmark, commit: commit.map(|(_, _, id)| id), reason })
    }
}

/// The text after a word.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let rest = text.trim_start().strip_prefix(word)?;
    rest.starts_with(char::is_whitespace).then_some(rest)
}

/// The words of a text, with their positions.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = text.as_ptr() as usize;
    text.split_whitespace().map(move |word| (word.as_ptr() as usize - start, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<[String; 3]> {
        let AcceptCommand { benchmark, commit, reason } = AcceptCommand::read(line)?;
        Some([benchmark.unwrap_or("-".to_owned()), commit.unwrap_or_default(), reason])
    }

    fn is(name: &str, commit: &str, reason: &str) -> Option<[String; 3]> {
        Some([name, commit, reason].map(str::to_owned))
    }

    fn whole() -> String {
        "1a2b3c4d5e".repeat(4)
    }

    #[test]
    fn a_command_names_a_benchmark_or_all_and_a_commit() {
        let whole = whole();
        assert_eq!(read(&format!("/perfgate accept all {}", whole.to_uppercase())), is("-", &whole, ""));
        assert_eq!(read(&format!("/perfgate accept all {whole}: why not")), is("-", &whole, "why not"));
        assert_eq!(read("/perfgate accept all"), is("-", "", ""));
        assert_eq!(read("/perfgate accept parse 1a2b3c4 is too short").unwrap()[1], "");
        let quoted = format!("  /perfgate  accept\t`parse/large` `{whole}` bounds ");
        assert_eq!(read(&quoted), is("parse/large", &whole, "bounds"));
        assert_eq!(read(&format!("/perfgate accept all `{whole}`.")), is("-", &whole, ""));
        for other in [
            "/perfgate accept",
            "/perfgate accept  ",
            "> /perfgate accept all",
            "/perfgate accepted all",
            "",
            "`/perfgate accept all`",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn a_name_may_have_any_characters() {
        let whole = whole();
        for name in ["a b", "parse \"x\"  y", "x `y`", "größe | 7", "-- all", "'a'"] {
            assert_eq!(read(&format!("/perfgate accept {name} {whole} why")), is(name, &whole, "why"));
        }
        for wrapped in ["\"a b\"", "`a b`"] {
            assert_eq!(read(&format!("/perfgate accept {wrapped} {whole}")), is("a b", &whole, ""));
        }
        assert_eq!(read(&format!("/perfgate accept \"all\" {whole}")), is("all", &whole, ""), "one benchmark");
    }

    #[test]
    fn a_command_in_a_quote_or_in_code_is_only_mentioned() {
        let command = format!("/perfgate accept all {}", whole());
        for mention in [
            "> COMMAND",
            "> He wrote:\nCOMMAND",
            "> He wrote:\n```\n\nCOMMAND\n```",
            "```\nCOMMAND\n```",
            "```text\na\n~~~\nCOMMAND\n```",
            "~~~~\n~~~\nCOMMAND\n~~~~~",
            "````\n```\nCOMMAND",
            "    COMMAND",
            "\tCOMMAND",
            "<!-- COMMAND -->",
            "<!-- a --> <!--\n\nCOMMAND\n-->",
            "- COMMAND",
            "Please write COMMAND",
        ] {
            assert_eq!(commands(&mention.replace("COMMAND", &command)), [], "{mention}");
        }
        for request in [
            "COMMAND",
            "Fine.\r\nCOMMAND\r\n",
            "> Why?\n\nCOMMAND",
            "```\na\n```\nCOMMAND",
            "```a``` is\nCOMMAND",
            "<!-- a -->\n   COMMAND",
        ] {
            assert_eq!(commands(&request.replace("COMMAND", &command)).len(), 1, "{request}");
        }
        assert_eq!(commands(&format!("{command}\n{command}\n")).len(), 2);
    }
}
