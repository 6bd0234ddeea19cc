//! Names from benchmark files are untrusted text. Each output format has its own function to escape them.

mod markdown;

pub use markdown::{markdown, markdown_cell, markdown_fence, markdown_link, markdown_text, title};

use std::fmt::Write;

/// The maximum length of a name; the middle of a longer one is cut out.
const MAX_NAME_CHARS: usize = 120;

/// For a terminal: control characters, line breaks and direction marks become visible escapes.
pub fn terminal(text: &str) -> String {
    logged(visible(&shortened(text)))
}

/// For a message: as for a terminal, but of any length.
pub fn message(text: &str) -> String {
    logged(visible(text))
}

/// For output of several lines: as for a terminal, line by line.
pub fn lines(text: &str) -> String {
    text.lines().map(|line| visible(line) + "\n").collect()
}

/// For the log of a CI job: GitHub's runner treats a line that starts with `::`, or contains `##[`, as a command.
fn logged(text: String) -> String {
    let text = if text.contains("##[") { text.replace("##[", "##\\u{5b}") } else { text };
    match text.trim_start().strip_prefix("::") {
        Some(rest) => format!("\\u{{3a}}:{rest}"),
        None => text,
    }
}

/// For the message of a workflow command, `::error::MESSAGE`.
pub fn workflow_message(text: &str) -> String {
    // `%25`, `%0D` and `%0A` are the runner's escapes. Line breaks of the text remain line breaks.
    let shown: Vec<String> = text.lines().map(visible).collect();
    shown.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// For a property of a workflow command, `::error title=PROPERTY::`.
pub fn workflow_property(text: &str) -> String {
    workflow_message(&shortened(text)).replace(':', "%3A").replace(',', "%2C")
}

/// For TOML: a basic string. Characters that could be markup, a mention or a command where the TOML is shown are escaped.
pub fn toml(text: &str) -> String {
    let mut out = String::from("\"");
    let mut before = ['\0'; 2];
    for c in text.chars() {
        let markup = matches!(c, '<' | '>' | '@' | '`')
            || c == '(' && before[1] == ']'
            || c == '[' && before == ['#', '#']
            || c == '{' && before[1] == '{';
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() || is_mark(c) || markup => {
                let _ = write!(out, "\\U{:08X}", c as u32);
            }
            c => out.push(c),
        }
        before = [before[1], c];
    }
    out + "\""
}

/// For a POSIX shell: one word.
pub fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// For text and attributes of XML and HTML: markup is escaped, characters invalid in XML are replaced.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// For a cell of a CSV file: quoted if necessary, without line breaks, and not a formula for a spreadsheet.
pub fn csv(text: &str) -> String {
    let text = visible(text);
    let formula = text.starts_with(['=', '+', '-', '@']);
    let text = if formula { format!("'{text}") } else { text };
    if text.contains([',', '"', ';', '\'']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_mark(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Invisible characters that reorder or hide their neighbours.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{061C}' | '\u{E0000}'..='\u{E007F}')
        // Soft hyphen, joiners, fillers, blanks, annotations, musical marks, and variation selectors but the one of emoji.
        || matches!(c, '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2800}')
        || matches!(c, '\u{3164}' | '\u{FFA0}' | '\u{FE00}'..='\u{FE0E}' | '\u{FFF9}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}')
        || matches!(c, '\u{E0100}'..='\u{E01EF}')
}

fn shortened(text: &str) -> std::borrow::Cow<'_, str> {
    let count = text.chars().count();
    if count <= MAX_NAME_CHARS {
        return text.into();
    }
    let kept = MAX_NAME_CHARS / 2 - 1;
    let head: String = text.chars().take(kept).collect();
    let tail: String = text.chars().skip(count - kept).collect();
    format!("{head}…{tail}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_visible_on_a_terminal() {
        assert_eq!(terminal("a\u{1b}[31mb\nc\u{202e}"), "a\\u{1b}[31mb\\nc\\u{202e}");
        assert_eq!(terminal(&"x".repeat(5000)).chars().count(), 119);
    }

    #[test]
    fn a_title_mentions_and_closes_nothing() {
        assert_eq!(
            title("parse/large [4] fixes #2 @all gh-3\n`x`"),
            "parse/large [4] fixes #\u{2060}2 @\u{2060}all gh-\u{2060}3\\n'x'"
        );
    }

    #[test]
    fn a_name_is_not_a_command_to_the_runner() {
        assert_eq!(terminal("::set-output name=verdict::pass"), "\\u{3a}:set-output name=verdict::pass");
        assert_eq!(message("a ##[set-output name=a;]b"), "a ##\\u{5b}set-output name=a;]b");
        assert_eq!(terminal("std::vec"), "std::vec");
        // The runner decodes %25 last, so that no decoded text is an escape again.
        assert_eq!(workflow_message("100 %0A\n::error::x\u{1b}"), "100 %250A%0A::error::x\\u{1b}");
        assert_eq!(workflow_property("a,b::c%3A\r\nd"), "a%2Cb%3A%3Ac%253A%0Ad");
    }

    #[test]
    fn toml_strings_round_trip() {
        for name in ["a/b", "\"\\\n\u{202e}\u{7f}", "```", "](x) <img> @all {{ a }} ##[x]", "é ", "\u{e0001}"] {
            let written = toml(name);
            let read: toml::Table = toml::from_str(&format!("x = {written}")).unwrap();
            assert_eq!(read["x"].as_str(), Some(name));
            assert!(!written.contains(['`', '<', '@', '\n', '\u{202e}']) && !written.contains("]("));
        }
        assert_eq!(toml("parse[10]/large"), "\"parse[10]/large\"");
    }

    #[test]
    fn a_shell_word_stays_one_word() {
        assert_eq!(shell("--base"), "--base");
        assert_eq!(shell("a b; rm -rf $HOME"), "'a b; rm -rf $HOME'");
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell(""), "''");
    }

    #[test]
    fn markdown_names_are_code_without_markup() {
        assert_eq!(markdown("group/bench_1/64"), "`group/bench_1/64`");
        let hostile = markdown("| [x](javascript:..) @everyone <img> `a` \\");
        assert!(
            !hostile["<code>".len()..hostile.len() - "</code>".len()].contains(['|', '[', '<', '`', '@', '\\', '('])
        );
    }

    #[test]
    fn names_that_markdown_cannot_change_stay_readable() {
        assert_eq!(markdown("test_suite.py::test[gz-ip (2)]"), "`test_suite.py::test[gz-ip (2)]`");
        assert_eq!(markdown("< +10%"), "`< +10%`");
        assert_eq!(markdown("<5ms, acceptable <8ms"), "`<5ms, acceptable <8ms`");
        assert_eq!(markdown("Vec<T>"), "<code>Vec&#60;T&#62;</code>");
        assert_eq!(markdown("-->1"), "<code>&#45;&#45;&#62;1</code>");
        assert_eq!(markdown("a\\"), "<code>a&#92;</code>");
        assert_eq!(markdown("x{{ y }}"), "<code>x&#123;&#123; y &#125;&#125;</code>");
    }

    #[test]
    fn commands_in_markdown_text_are_code() {
        assert_eq!(markdown_text("see `perfgate measure`, a|b"), "see `perfgate measure`, a&#124;b");
        assert_eq!(markdown_text("in `[[accept]]` only"), "in `[[accept]]` only");
        assert_eq!(markdown_text("`</details>` x"), "<code>&#60;/details&#62;</code> x");
        assert_eq!(markdown_text("`a|b`"), "<code>a&#124;b</code>");
        assert_eq!(markdown_text("a ` b"), "a &#96; b");
        assert_eq!(markdown_text("throughput >100/s, > 5, >5"), "throughput >100/s, &#62; 5, &#62;5");
        assert_eq!(markdown_text("``` b"), "&#96;&#96;&#96; b");
        assert_eq!(markdown_text("budget <2500us, < +10%, <=5, <b>"), "budget <2500us, < +10%, <=5, &#60;b&#62;");
    }

    #[test]
    fn a_long_name_breaks_in_a_narrow_table() {
        assert_eq!(markdown_cell("group/bench"), "`group/bench`");
        assert_eq!(
            markdown_cell("tokenizer::unicode::normalization/parse_very_large_documents"),
            "<code>tokenizer&#58;&#58;unicode&#58;&#58;<wbr>normalization/<wbr>parse_very_large&#95;<wbr>documents</code>"
        );
        assert_eq!(markdown_cell(&"x".repeat(80)).replace("<wbr>", "").len(), 80 + "<code></code>".len());
        assert_eq!(markdown_cell(&"x".repeat(80)).matches("<wbr>").count(), 3);
        assert!(!markdown_cell(&"<img>|`".repeat(10))["<code>".len()..].contains(['|', '`']));
    }

    #[test]
    fn markdown_text_has_no_mentions_or_links() {
        assert_eq!(markdown_text("@all"), "@\u{2060}all");
        assert_eq!(markdown_text("a|b"), "a&#124;b");
        assert_eq!(markdown_text("closes GH-2, gh-12é GH-x"), "closes GH-\u{2060}2, gh-\u{2060}12é GH-x");
        for hidden in ['\u{ad}', '\u{3164}', '\u{2800}', '\u{fe01}', '\u{e0100}', '\u{115f}', '\u{180e}'] {
            assert_eq!(
                markdown_text(&format!("a{hidden}b")),
                format!("a{}b", hidden.escape_default())
                    .replace('{', "&#123;")
                    .replace('}', "&#125;")
                    .replace('\\', "&#92;")
            );
        }
        assert_eq!(markdown_text("x86_64, Ⓐ_a_Ⓐ"), "x86_64, Ⓐ&#95;a&#95;Ⓐ");
        assert_eq!(markdown_text("_a_ b_ _c a__b *_d"), "&#95;a&#95; b&#95; &#95;c a&#95;&#95;b &#42;&#95;d");
        assert_eq!(markdown("a_b[_c]|"), "<code>a_b&#91;&#95;c&#93;&#124;</code>");
        assert_eq!(markdown_text("http://e.org WWW.e.org"), "http&#58;//e.org WWW&#46;e.org");
        assert_eq!(markdown("{www.e.org}"), "<code>&#123;www&#46;e.org&#125;</code>");
        assert_eq!(markdown_link("https://e.org/a_b?c=1"), "<https://e.org/a_b?c=1>");
        assert!(!markdown_link("https://e.org/<img>").contains("<img"));
        assert_eq!(markdown_fence("a ``` b\n", "sql"), "````sql\na ``` b\n````");
    }

    proptest::proptest! {
        /// Any name stays inside its property of a workflow command, and the runner decodes it to the visible text.
        #[test]
        fn no_text_leaves_its_property(text in "(?s)(%|0A|:|,|\\r|\\n|a|::error::|\u{2028}|\u{85}){0,12}") {
            let property = workflow_property(&text);
            proptest::prop_assert!(!property.contains(['\n', '\r', ':', ',']));
            let read = property.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
            let shown: Vec<String> = text.lines().map(visible).collect();
            proptest::prop_assert_eq!(read.replace("%25", "%"), shown.join("\n"));
        }

        #[test]
        fn any_text_round_trips_as_a_toml_string(text in "(?s).{0,40}") {
            let read: toml::Table = toml::from_str(&format!("x = {}", toml(&text))).unwrap();
            proptest::prop_assert_eq!(read["x"].as_str(), Some(text.as_str()));
        }
    }
}
