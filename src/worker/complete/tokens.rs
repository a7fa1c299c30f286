//! The tokens of a text that is still being typed, and where it ends.
//!
//! What stands before a cursor is hardly ever a program, so nothing is parsed: tokens are told apart by what goes before them. Where
//! that is not enough (a brace, a slash) the likelier reading is taken. The time is linear in the text.

use oxc_syntax::identifier::{is_identifier_part_unicode, is_irregular_whitespace};

/// What a pair of brackets is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bracket {
    Paren,
    /// The parentheses of `if`, `for`, `while`, `with`, `switch` and `catch`: no value, and no parameters.
    Head,
    Square,
    Block,
    Object,
    Class,
    /// A template's `${`.
    Template,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword.
    Word,
    /// `#name`.
    Private,
    Number,
    /// A string.
    Text,
    /// A whole template, or its last piece.
    Template,
    Regexp,
    Open(Bracket),
    Close(Bracket),
    Sign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    /// In bytes.
    pub start: usize,
    pub end: usize,
    /// Of a closing bracket: the token that has opened it.
    pub opener: usize,
    pub is_first_on_line: bool,
}

/// What the end of a text is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Code,
    /// A string that has no end: the last token.
    Text,
    /// A comment, a template's text, a regular expression.
    Elsewhere,
}

pub struct Tokens<'t> {
    pub text: &'t str,
    pub all: Vec<Token>,
    pub ending: Ending,
}

/// Words that are followed by a value, not by an operator.
const BEFORE_VALUES: [&str; 20] = [
    "await",
    "case",
    "const",
    "default",
    "delete",
    "do",
    "else",
    "extends",
    "in",
    "instanceof",
    "let",
    "new",
    "of",
    "return",
    "throw",
    "typeof",
    "var",
    "void",
    "yield",
    "export",
];

/// Words whose parentheses are a [`Bracket::Head`].
const HEADED: [&str; 6] = ["catch", "for", "if", "switch", "while", "with"];

impl<'t> Tokens<'t> {
    pub fn of(text: &'t str) -> Tokens<'t> {
        let tokens = Tokens { text, all: Vec::new(), ending: Ending::Code };
        let mut reader =
            Reader { bytes: text.as_bytes(), at: 0, tokens, open: Vec::new(), is_new_line: true, awaits_class: false };
        reader.run();
        reader.tokens
    }

    pub fn get(&self, index: usize) -> Option<&Token> {
        self.all.get(index)
    }

    /// What a token reads.
    pub fn read(&self, index: usize) -> &'t str {
        self.all.get(index).map_or("", |token| &self.text[token.start..token.end])
    }

    pub fn kind(&self, index: usize) -> Option<Kind> {
        self.all.get(index).map(|token| token.kind)
    }

    pub fn is_sign(&self, index: usize, sign: &str) -> bool {
        self.kind(index) == Some(Kind::Sign) && self.read(index) == sign
    }

    /// Whether a token is the dot in front of a member's name.
    pub fn is_dot(&self, index: usize) -> bool {
        self.kind(index) == Some(Kind::Sign) && matches!(self.read(index), "." | "?.")
    }

    /// Whether a value ends with this token, so that an operator can follow, an index or a call.
    pub fn ends_value(&self, index: usize) -> bool {
        match self.all[index].kind {
            Kind::Word => (index > 0 && self.is_dot(index - 1)) || !BEFORE_VALUES.contains(&self.read(index)),
            Kind::Private | Kind::Number | Kind::Text | Kind::Template | Kind::Regexp => true,
            Kind::Close(bracket) => matches!(bracket, Bracket::Paren | Bracket::Square | Bracket::Object),
            Kind::Sign => matches!(self.read(index), "++" | "--"),
            Kind::Open(_) => false,
        }
    }
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    tokens: Tokens<'t>,
    /// The tokens of the brackets that are open, and whether the head of a class was being read outside of each.
    open: Vec<(Bracket, usize, bool)>,
    is_new_line: bool,
    /// The next brace at this level is the body of a class.
    awaits_class: bool,
}

impl Reader<'_> {
    fn run(&mut self) {
        if self.bytes.starts_with(b"#!") {
            self.skip_line();
        }
        while let Some(&byte) = self.bytes.get(self.at) {
            let start = self.at;
            self.at += 1;
            match byte {
                b' ' | b'\t' | 0x0b | 0x0c => {}
                b'\n' | b'\r' => self.is_new_line = true,
                b'/' if self.peek() == Some(b'/') => self.skip_line(),
                b'/' if self.peek() == Some(b'*') => self.skip_comment(),
                b'/' if !self.after_value() => self.regexp(start),
                b'\'' | b'"' => self.string(start, byte),
                b'`' => self.template(start),
                b'(' | b'[' | b'{' => self.open(start, byte),
                b')' | b']' | b'}' => self.close(start, byte),
                b'.' if !self.peek().is_some_and(|next| next.is_ascii_digit()) => self.sign(start, &["..."]),
                b'0'..=b'9' | b'.' => self.number(start),
                b'#' => {
                    self.rest_of_word();
                    self.push(Kind::Private, start);
                }
                b'?' if self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit) => self.sign(start, &[]),
                b'?' | b'=' | b'+' | b'-' => self.sign(start, &["?.", "===", "==", "=>", "++", "--"]),
                _ if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$' | b'\\') => self.word(start),
                _ if byte.is_ascii() => self.sign(start, &[]),
                _ => self.foreign(start),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn after_value(&self) -> bool {
        self.tokens.all.len().checked_sub(1).is_some_and(|last| self.tokens.ends_value(last))
    }

    fn push(&mut self, kind: Kind, start: usize) {
        let is_first_on_line = std::mem::take(&mut self.is_new_line);
        self.tokens.all.push(Token { kind, start, end: self.at, opener: 0, is_first_on_line });
    }

    fn sign(&mut self, start: usize, longer: &[&str]) {
        let rest = &self.bytes[start..];
        let length = longer.iter().find(|sign| rest.starts_with(sign.as_bytes())).map_or(1, |sign| sign.len());
        self.at = start + length;
        self.push(Kind::Sign, start);
    }

    /// The character that begins at `at`. A position of a reader is always one of the text.
    fn char_at(&self, at: usize) -> Option<char> {
        self.tokens.text.get(at..)?.chars().next()
    }

    fn foreign(&mut self, start: usize) {
        let Some(c) = self.char_at(start) else { return };
        if matches!(c, '\u{2028}' | '\u{2029}') {
            self.at = start + c.len_utf8();
            self.is_new_line = true;
        } else if is_irregular_whitespace(c) || c.is_whitespace() {
            self.at = start + c.len_utf8();
        } else if is_identifier_part_unicode(c) {
            self.at = start;
            self.word(start);
        } else {
            self.at = start + c.len_utf8();
            self.push(Kind::Sign, start);
        }
    }

    fn rest_of_word(&mut self) {
        while let Some(byte) = self.peek() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'\\') {
                self.at += 1;
                continue;
            }
            match self.char_at(self.at).filter(|c| !c.is_ascii() && is_identifier_part_unicode(*c)) {
                Some(c) => self.at += c.len_utf8(),
                None => break,
            }
        }
    }

    fn word(&mut self, start: usize) {
        self.rest_of_word();
        self.push(Kind::Word, start);
        let here = self.tokens.all.len() - 1;
        if self.tokens.read(here) == "class" && (here == 0 || !self.tokens.is_dot(here - 1)) {
            self.awaits_class = true;
        }
    }

    fn number(&mut self, start: usize) {
        let is_prefixed = self.bytes[start] == b'0' && self.peek().is_some_and(|next| next.is_ascii_alphabetic());
        let mut may_have_dot = self.bytes[start] != b'.' && !is_prefixed;
        while let Some(byte) = self.peek() {
            let before = self.bytes[self.at - 1];
            let goes_on = match byte {
                b'.' => std::mem::take(&mut may_have_dot) && before != b'n',
                b'+' | b'-' => !is_prefixed && matches!(before, b'e' | b'E'),
                // `5.toFixed` is none, but `5.e3` is a number.
                b'a'..=b'z' | b'A'..=b'Z' => {
                    may_have_dot &= !matches!(byte, b'e' | b'E' | b'n');
                    before != b'.' || matches!(byte, b'e' | b'E')
                }
                _ => byte.is_ascii_digit() || byte == b'_',
            };
            if !goes_on {
                break;
            }
            self.at += 1;
        }
        self.push(Kind::Number, start);
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| !matches!(byte, b'\n' | b'\r')) {
            self.at += 1;
        }
        if self.at == self.bytes.len() {
            self.tokens.ending = Ending::Elsewhere;
        }
    }

    fn skip_comment(&mut self) {
        let rest = &self.bytes[self.at + 1..];
        match rest.windows(2).position(|pair| pair == b"*/") {
            Some(end) => {
                self.is_new_line |= rest[..end].contains(&b'\n');
                self.at += 1 + end + 2;
            }
            None => self.stop(Ending::Elsewhere),
        }
    }

    fn stop(&mut self, ending: Ending) {
        self.at = self.bytes.len();
        self.tokens.ending = ending;
    }

    /// Steps behind a backslash and what it hides, without ending in the middle of a character.
    fn skip_escaped(&mut self) {
        let hidden = self.char_at(self.at).map_or(0, char::len_utf8);
        self.at += hidden;
    }

    fn string(&mut self, start: usize, quote: u8) {
        while let Some(byte) = self.peek() {
            if byte == b'\n' {
                return self.push(Kind::Text, start);
            }
            self.at += 1;
            if byte == b'\\' {
                self.skip_escaped();
            } else if byte == quote {
                return self.push(Kind::Text, start);
            }
        }
        self.push(Kind::Text, start);
        self.tokens.ending = Ending::Text;
    }

    /// One that has no end on its line is taken to end there.
    fn regexp(&mut self, start: usize) {
        let mut in_class = false;
        while let Some(byte) = self.peek() {
            if byte == b'\n' {
                return self.push(Kind::Regexp, start);
            }
            self.at += 1;
            match byte {
                b'\\' => self.skip_escaped(),
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => {
                    self.rest_of_word();
                    return self.push(Kind::Regexp, start);
                }
                _ => {}
            }
        }
        self.stop(Ending::Elsewhere);
    }

    /// The text of a template up to its end or its next `${`.
    fn template(&mut self, start: usize) {
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\\' => self.skip_escaped(),
                b'`' => return self.push(Kind::Template, start),
                b'$' if self.peek() == Some(b'{') => {
                    self.at += 1;
                    return self.push_open(Bracket::Template, start);
                }
                _ => {}
            }
        }
        self.stop(Ending::Elsewhere);
    }

    fn push_open(&mut self, bracket: Bracket, start: usize) {
        let outside = std::mem::take(&mut self.awaits_class);
        self.open.push((bracket, self.tokens.all.len(), outside));
        self.push(Kind::Open(bracket), start);
    }

    fn open(&mut self, start: usize, byte: u8) {
        let bracket = match byte {
            b'(' if self.is_after_word(&HEADED) => Bracket::Head,
            b'(' => Bracket::Paren,
            b'[' => Bracket::Square,
            _ if self.opens_class() => Bracket::Class,
            _ if self.opens_object() => Bracket::Object,
            _ => Bracket::Block,
        };
        if bracket == Bracket::Class {
            self.awaits_class = false;
        }
        self.push_open(bracket, start);
    }

    fn is_after_word(&self, words: &[&str]) -> bool {
        let Some(last) = self.tokens.all.len().checked_sub(1) else { return false };
        self.tokens.kind(last) == Some(Kind::Word)
            && words.contains(&self.tokens.read(last))
            && !(last > 0 && self.tokens.is_dot(last - 1))
    }

    fn opens_class(&self) -> bool {
        self.awaits_class && !self.is_after_word(&["extends"])
    }

    fn opens_object(&self) -> bool {
        let Some(last) = self.tokens.all.len().checked_sub(1) else { return false };
        match self.tokens.all[last].kind {
            Kind::Word => !self.tokens.ends_value(last) && !self.is_after_word(&["do", "else"]),
            Kind::Open(bracket) => !matches!(bracket, Bracket::Block | Bracket::Class),
            Kind::Sign => match self.tokens.read(last) {
                "=>" | ";" => false,
                ":" => self.open.last().is_some_and(|(bracket, ..)| *bracket != Bracket::Block),
                _ => true,
            },
            _ => false,
        }
    }

    fn close(&mut self, start: usize, byte: u8) {
        let matching = |bracket: Bracket| match bracket {
            Bracket::Paren | Bracket::Head => b')',
            Bracket::Square => b']',
            Bracket::Block | Bracket::Object | Bracket::Class | Bracket::Template => b'}',
        };
        let Some((bracket, opener, outside)) = self.open.pop_if(|(bracket, ..)| matching(*bracket) == byte) else {
            return self.push(Kind::Sign, start);
        };
        self.awaits_class = outside;
        self.push(Kind::Close(bracket), start);
        if let Some(last) = self.tokens.all.last_mut() {
            last.opener = opener;
        }
        if bracket == Bracket::Template {
            self.template(self.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(Kind, &str)]) {
        let tokens = Tokens::of(text);
        let found: Vec<_> = (0..tokens.all.len()).map(|at| (tokens.all[at].kind, tokens.read(at))).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_slash_after_a_value_divides_and_any_other_begins_a_regular_expression() {
        use Kind::*;
        check("a / b / c", &[(Word, "a"), (Sign, "/"), (Word, "b"), (Sign, "/"), (Word, "c")]);
        check("return /[/]'/g", &[(Word, "return"), (Regexp, "/[/]'/g")]);
        check("a.return / 2", &[(Word, "a"), (Sign, "."), (Word, "return"), (Sign, "/"), (Number, "2")]);
        let (open, close) = (Open(Bracket::Head), Close(Bracket::Head));
        check("if (a) /b/", &[(Word, "if"), (open, "("), (Word, "a"), (close, ")"), (Regexp, "/b/")]);
    }

    #[test]
    fn a_dot_belongs_to_a_number_once() {
        use Kind::*;
        check("5..x", &[(Number, "5."), (Sign, "."), (Word, "x")]);
        check("1.5.x", &[(Number, "1.5"), (Sign, "."), (Word, "x")]);
        check("0xf.x", &[(Number, "0xf"), (Sign, "."), (Word, "x")]);
        check("1e-5.x", &[(Number, "1e-5"), (Sign, "."), (Word, "x")]);
        check("10n.x", &[(Number, "10n"), (Sign, "."), (Word, "x")]);
        check("a?.5:b", &[(Word, "a"), (Sign, "?"), (Number, ".5"), (Sign, ":"), (Word, "b")]);
        check("[...a]", &[(Open(Bracket::Square), "["), (Sign, "..."), (Word, "a"), (Close(Bracket::Square), "]")]);
    }

    #[test]
    fn templates_hold_code_between_their_pieces() {
        use Kind::*;
        let (open, close) = (Open(Bracket::Template), Close(Bracket::Template));
        let inner = [(open, "`a${"), (Template, "`b`"), (close, "}"), (open, " c${"), (Word, "d"), (close, "}")];
        check("`a${`b`} c${d}`", &[&inner[..], &[(Template, "`")]].concat());
    }

    #[test]
    fn the_end_of_the_text_is_known_to_be_code_or_not() {
        for text in ["", "a", "'a'", "// a\n", "/* a */", "`${", "/a/", "'a\nb"] {
            assert_eq!(Tokens::of(text).ending, Ending::Code, "{text}");
        }
        for text in ["'a", "a['b\\'", "\"😀\\"] {
            assert_eq!(Tokens::of(text).ending, Ending::Text, "{text}");
        }
        for text in ["// a", "/* a", "`a", "`${1} b", "x = /a", "/[/", "#!a"] {
            assert_eq!(Tokens::of(text).ending, Ending::Elsewhere, "{text}");
        }
    }

    #[test]
    fn braces_are_told_apart_by_what_stands_before_them() {
        for (text, bracket) in [
            ("{", Bracket::Block),
            ("a = {", Bracket::Object),
            ("f({", Bracket::Object),
            ("return {", Bracket::Object),
            ("() => {", Bracket::Block),
            ("if (a) {", Bracket::Block),
            ("else {", Bracket::Block),
            ("class A extends B {", Bracket::Class),
            ("x = class {", Bracket::Class),
            ("class A { f() {", Bracket::Block),
            ("let {", Bracket::Object),
            ("({a: {", Bracket::Object),
        ] {
            assert_eq!(Tokens::of(text).all.last().unwrap().kind, Kind::Open(bracket), "{text}");
        }
    }
}
