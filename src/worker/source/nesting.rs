//! A look at a text before it is parsed: the parser descends once for each level of nesting, on a stack that ends.
//!
//! Tokens are told apart just well enough for that. What counts is a bound on the levels, so a mistake about a regular expression
//! costs at most a refusal of a text that is nested a thousandfold.

/// Levels of brackets, and of what nests without them, that are parsed. The engine's own limit is of the same order.
const MOST_LEVELS: usize = 1000;

/// Links of a chain such as `a.b.c` or `a + b + c`, each of which is a small level for whoever walks through the tree.
const MOST_LINKS: usize = 8000;

/// One bracket that is open.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    /// A template's `${`.
    is_template: bool,
    /// Operators since the last thing that separates, at this level.
    links: usize,
    /// Those among them that nest fully: prefixes, arrows, assignments, conditions, statements within statements.
    prefixes: usize,
}

/// Where a text is nested too deeply to be parsed.
pub fn too_deep(text: &str) -> Option<usize> {
    // So short a text cannot reach the bound, and most are.
    if text.len() <= MOST_LEVELS {
        return None;
    }
    Scan::new(text).run()
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    levels: Vec<Level>,
    here: Level,
    /// Of all levels together.
    links: usize,
    prefixes: usize,
    /// The last token ends a value, so that what follows is an operator and no prefix.
    after_value: bool,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str) -> Scan<'t> {
        Scan {
            bytes: text.as_bytes(),
            at: 0,
            levels: Vec::new(),
            here: Level::default(),
            links: 0,
            prefixes: 0,
            after_value: false,
        }
    }

    fn run(mut self) -> Option<usize> {
        while let Some(&byte) = self.bytes.get(self.at) {
            let begin = self.at;
            self.at += 1;
            match byte {
                b' ' | b'\t' | b'\r' => {}
                b'\n' => self.line_end(),
                b'/' if self.peek() == Some(b'/') => self.skip_line(),
                b'/' if self.peek() == Some(b'*') => self.skip_comment(),
                b'/' if !self.after_value => self.skip_regexp(),
                b'\'' | b'"' => self.skip_string(byte),
                b'`' => {
                    // After a value it is the call of a tag.
                    self.here.links += usize::from(self.after_value);
                    self.template();
                }
                b'(' | b'[' | b'{' => self.open(false),
                b')' | b']' | b'}' => self.close(byte),
                b',' | b';' => self.separate(),
                _ if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'\\') || !byte.is_ascii() => {
                    self.word(begin);
                }
                b'.' => self.link(false),
                b'=' | b'?' | b':' | b'!' | b'~' => self.link(true),
                _ => self.link(!self.after_value),
            }
            if self.levels.len() + self.prefixes + self.here.prefixes > MOST_LEVELS
                || self.links + self.here.links > MOST_LINKS
            {
                return Some(begin);
            }
        }
        None
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn link(&mut self, is_prefix: bool) {
        self.here.links += 1;
        self.here.prefixes += usize::from(is_prefix);
        self.after_value = false;
    }

    fn separate(&mut self) {
        self.here.links = 0;
        self.here.prefixes = 0;
        self.after_value = false;
    }

    /// The end of a line ends what went before, unless it cannot.
    fn line_end(&mut self) {
        let rest = &self.bytes[self.at..];
        let next = rest.iter().position(|byte| !byte.is_ascii_whitespace()).map_or(rest, |next| &rest[next..]);
        let is_comment = next.starts_with(b"//") || next.starts_with(b"/*");
        let goes_on = !is_comment && next.first().is_some_and(|next| b".+-*/%&|^<>=?:([`,".contains(next));
        if self.after_value && !goes_on {
            self.separate();
        }
    }

    fn open(&mut self, is_template: bool) {
        // A call or an index is a link of its chain.
        self.here.links += 1;
        self.links += self.here.links;
        self.prefixes += self.here.prefixes;
        self.levels.push(self.here);
        self.here = Level { is_template, ..Level::default() };
        self.after_value = false;
    }

    fn close(&mut self, byte: u8) {
        let is_template = self.here.is_template;
        if let Some(outer) = self.levels.pop() {
            self.links -= outer.links;
            self.prefixes -= outer.prefixes;
            self.here = outer;
        }
        self.after_value = true;
        if byte == b'}' && is_template {
            self.template();
        }
    }

    fn word(&mut self, begin: usize) {
        while self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$') || !b.is_ascii()) {
            self.at += 1;
        }
        let nests = matches!(
            &self.bytes[begin..self.at],
            b"await"
                | b"delete"
                | b"do"
                | b"else"
                | b"for"
                | b"if"
                | b"new"
                | b"typeof"
                | b"void"
                | b"while"
                | b"with"
                | b"yield"
                | b"async"
                | b"extends"
                | b"case"
                | b"return"
                | b"throw"
                | b"in"
                | b"of"
                | b"instanceof"
        );
        if nests {
            self.link(true);
        } else {
            self.after_value = true;
        }
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    fn skip_comment(&mut self) {
        let rest = &self.bytes[self.at + 1..];
        let end = rest.windows(2).position(|pair| pair == b"*/");
        self.at = end.map_or(self.bytes.len(), |end| self.at + 1 + end + 2);
    }

    fn skip_string(&mut self, quote: u8) {
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == quote || byte == b'\n' {
                break;
            }
        }
        self.after_value = true;
    }

    fn skip_regexp(&mut self) {
        let mut in_class = false;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            match byte {
                b'[' => in_class = true,
                b']' => in_class = false,
                // The parser of regular expressions descends as well.
                b'(' if !in_class => self.here.prefixes += 1,
                b'/' if !in_class => break,
                b'\n' => break,
                _ => {}
            }
        }
        self.after_value = true;
    }

    /// The text of a template up to its end or its next `${`.
    fn template(&mut self) {
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'`' {
                break;
            }
            if byte == b'$' && self.peek() == Some(b'{') {
                self.at += 1;
                return self.open(true);
            }
        }
        self.after_value = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_too_deeply_is_found() {
        for unit in [
            "[", "(", "{", "`${", "a(", "!", "- ", "typeof ", "a=>", "a=", "a?b:", "if(1)", "a:", "new ", "x=>{",
            "else ", "a**=", "await ",
        ] {
            assert!(too_deep(&unit.repeat(20_000)).is_some(), "{unit}");
        }
        for unit in ["a.", "a+", "a?.b", "a[1]", "()", "`x`", "a&&", "a,a+"] {
            assert!(too_deep(&unit.repeat(90_000)).is_some() || unit == "a,a+", "{unit}");
        }
    }

    #[test]
    fn ordinary_texts_pass() {
        let lines = [
            "foo(bar, 'x')\n",
            "if (a) { b() } else if (c) { d() }\n",
            "const x = a.b.c + d[e] * f(g)\n",
            "x = y ? z : w; // why\n",
            "a = b / c / d\n",
            "s.replace(/[(\"']/g, '((((((')\n",
            "t = `${a}(((${b ? `${c}` : d}`\n",
            "/* ((((((( */ let f = async x => await x\n",
            "switch (a) { case 1: b(); break; default: c() }\n",
            "[1, 2, 3], {a: 1, b: 2}\n",
            "\"\\\"((((\" + '\\'[[[['\n",
        ];
        for line in lines {
            assert_eq!(too_deep(&line.repeat(5000)), None, "{line}");
        }
        assert_eq!(too_deep(&lines.concat().repeat(1000)), None);
        assert_eq!(too_deep(&"'(((((('".repeat(1000)), None);
        assert_eq!(too_deep(&format!("[{}]", "{a: -1, b: [1, 2]}, ".repeat(10_000))), None);
        assert_eq!(too_deep(&"'ab' +\n".repeat(5000)), None);
    }
}
