//! What is being completed: the place of the cursor in the text, and the chain of names in front of it.

use oxc_syntax::identifier::is_identifier_part;

use super::outline::{Outline, outline};
use super::tokens::{Bracket, Ending, Kind, Token, Tokens};

/// Links of a chain that are followed. People write a handful.
const MOST_LINKS: usize = 200;

/// Where a cursor stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Place<'t> {
    pub site: Site<'t>,
    /// What has been typed of the item.
    pub prefix: &'t str,
    /// What an item replaces, in UTF-16 units.
    pub from: u32,
    pub to: u32,
    /// The token of the prefix, in bytes: it declares nothing.
    pub start: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Site<'t> {
    /// Nothing can be said.
    Nothing,
    /// A name or a keyword.
    Name,
    /// Behind the dot.
    Member(Chain<'t>),
    /// Behind the bracket of an index: the number of an element.
    Element(Chain<'t>),
    /// In the quotes of an index.
    Key(Chain<'t>, char),
}

/// What a chain of properties begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base<'t> {
    Name(&'t str),
    This,
    Array,
    Bigint,
    Boolean,
    Number,
    Regexp,
    String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Chain<'t> {
    pub base: Base<'t>,
    /// The keys, from the base on.
    pub keys: Vec<&'t str>,
}

/// Finds the place of a cursor, which is in UTF-16 units.
pub fn place(code: &str, cursor: u32) -> Place<'_> {
    let (units, at) = position(code, cursor);
    let text = &code[..at];
    let mut tokens = Tokens::of(text);
    let word = tokens.all.last().filter(|last| last.kind == Kind::Word && last.end == at).copied();
    let is_number = tokens.all.last().is_some_and(|last| last.kind == Kind::Number && last.end == at);
    let mut start = word.map_or(at, |word| word.start);
    let site = match tokens.ending {
        Ending::Elsewhere => Site::Nothing,
        Ending::Text => key_site(&tokens, &mut start),
        Ending::Code if is_number => number_site(&tokens, &mut start),
        Ending::Code => {
            if word.is_none() {
                // What will be typed is a word, and what came before decides about it.
                let is_first_on_line = text.trim_end_matches([' ', '\t']).ends_with(['\n', '\r']);
                tokens.all.push(Token { kind: Kind::Word, start: at, end: at, opener: 0, is_first_on_line });
            }
            word_site(&tokens, &outline(&tokens))
        }
    };
    let prefix = &code[start..at];
    let rest = if prefix.is_empty() { "" } else { &code[at..] };
    let rest = rest.chars().take_while(|c| is_identifier_part(*c)).map(char::len_utf16).sum::<usize>();
    let length = prefix.encode_utf16().count();
    let narrow = |units: usize| u32::try_from(units).unwrap_or(u32::MAX);
    Place { site, prefix, from: narrow(units - length), to: narrow(units + rest).max(cursor), start }
}

/// The position in UTF-16 units and in bytes, at the start of the character in which the cursor is.
fn position(code: &str, cursor: u32) -> (usize, usize) {
    let mut units = 0;
    for (at, c) in code.char_indices() {
        if units + c.len_utf16() > cursor as usize {
            return (units, at);
        }
        units += c.len_utf16();
    }
    (units, code.len())
}

/// Whether a token is the bracket of an index, and so follows a value.
fn opens_index(tokens: &Tokens, index: usize) -> bool {
    tokens.kind(index) == Some(Kind::Open(Bracket::Square))
        && index > 0
        && (tokens.ends_value(index - 1) || tokens.read(index - 1) == "?.")
}

/// The last token that belongs to the value in front of an index.
fn indexed(tokens: &Tokens, bracket: usize) -> Option<usize> {
    let before = bracket.checked_sub(1)?;
    if tokens.read(before) == "?." { before.checked_sub(1) } else { Some(before) }
}

fn key_site<'t>(tokens: &Tokens<'t>, start: &mut usize) -> Site<'t> {
    let last = tokens.all.len() - 1;
    let typed = tokens.read(last);
    let chain = last
        .checked_sub(1)
        .filter(|bracket| opens_index(tokens, *bracket))
        .and_then(|bracket| chain(tokens, indexed(tokens, bracket)?));
    let Some(quote) = typed.chars().next() else { return Site::Nothing };
    match chain {
        Some(chain) if !typed.contains('\\') => {
            *start = tokens.all[last].start + 1;
            Site::Key(chain, quote)
        }
        _ => Site::Nothing,
    }
}

fn number_site<'t>(tokens: &Tokens<'t>, start: &mut usize) -> Site<'t> {
    let last = tokens.all.len() - 1;
    let is_whole = tokens.read(last).bytes().all(|byte| byte.is_ascii_digit());
    let Some(bracket) = last.checked_sub(1).filter(|bracket| is_whole && opens_index(tokens, *bracket)) else {
        return Site::Nothing;
    };
    *start = tokens.all[last].start;
    indexed(tokens, bracket).and_then(|last| chain(tokens, last)).map_or(Site::Nothing, Site::Element)
}

/// The site of the last token, which is a word, of no letters perhaps.
fn word_site<'t>(tokens: &Tokens<'t>, outline: &Outline) -> Site<'t> {
    let last = tokens.all.len() - 1;
    let word = tokens.all[last];
    let is_empty = word.start == word.end;
    let Some(before) = last.checked_sub(1) else { return Site::Name };
    if tokens.is_dot(before) {
        let chain = before.checked_sub(1).and_then(|end| chain(tokens, end));
        let chain = chain.filter(|chain| chain.base != Base::This || !outline.has_own_this);
        return chain.map_or(Site::Nothing, Site::Member);
    }
    if outline.is_naming || is_inside_of_token(tokens, before, &word) || tokens.read(last).contains('\\') {
        return Site::Nothing;
    }
    if is_empty && opens_index(tokens, before) {
        let chain = indexed(tokens, before).and_then(|end| chain(tokens, end));
        return chain.map_or(Site::Name, Site::Element);
    }
    // Only an operator can stand directly behind a value.
    if is_empty && !word.is_first_on_line && tokens.ends_value(before) { Site::Nothing } else { Site::Name }
}

/// Whether the word is what a number or a private name goes on with: `5.x`, `#`.
fn is_inside_of_token(tokens: &Tokens, before: usize, word: &Token) -> bool {
    matches!(tokens.kind(before), Some(Kind::Number | Kind::Private)) && tokens.all[before].end == word.start
}

/// The chain whose last token this is, if its value can be known without evaluating anything but properties.
fn chain<'t>(tokens: &Tokens<'t>, end: usize) -> Option<Chain<'t>> {
    let mut at = end;
    let mut keys = Vec::new();
    // Of parentheses around the start of the chain: where it must begin.
    let mut begin = None;
    let base = loop {
        if keys.len() > MOST_LINKS {
            return None;
        }
        let before = at.checked_sub(1);
        match tokens.kind(at)? {
            Kind::Word if before.is_some_and(|dot| tokens.is_dot(dot)) => {
                keys.push(plain(tokens.read(at))?);
                at = at.checked_sub(2)?;
            }
            Kind::Word if before.is_some_and(|before| is_inside_of_token(tokens, before, &tokens.all[at])) => {
                return None;
            }
            Kind::Word => break base_of_word(tokens.read(at))?,
            Kind::Close(Bracket::Square) => {
                let bracket = tokens.all[at].opener;
                if !opens_index(tokens, bracket) {
                    at = bracket;
                    break Base::Array;
                }
                keys.push(index_between(tokens, bracket, at)?);
                at = indexed(tokens, bracket)?;
            }
            Kind::Close(Bracket::Paren) => {
                let paren = tokens.all[at].opener;
                let is_call = paren.checked_sub(1).is_some_and(|before| {
                    tokens.ends_value(before) && !tokens.all[paren].is_first_on_line || tokens.is_dot(before)
                });
                if is_call || begin.is_some_and(|begin| begin != paren) {
                    return None;
                }
                begin = Some(paren + 1);
                at = at.checked_sub(1)?;
            }
            Kind::Text => break Base::String,
            Kind::Template => {
                at = start_of_template(tokens, at);
                // A tag's, even from the line before.
                if at > 0 && tokens.ends_value(at - 1) {
                    return None;
                }
                break Base::String;
            }
            Kind::Regexp => break Base::Regexp,
            Kind::Number => {
                let number = tokens.read(at);
                break if number.ends_with('n') { Base::Bigint } else { Base::Number };
            }
            Kind::Private | Kind::Open(_) | Kind::Close(_) | Kind::Sign => return None,
        }
    };
    let is_after_value = at > 0 && tokens.ends_value(at - 1) && !tokens.all[at].is_first_on_line;
    if is_after_value || begin.is_some_and(|begin| begin != at) {
        return None;
    }
    keys.reverse();
    Some(Chain { base, keys })
}

/// A name that is written as it is.
fn plain(name: &str) -> Option<&str> {
    (!name.contains('\\')).then_some(name)
}

fn base_of_word(word: &str) -> Option<Base<'_>> {
    Some(match word {
        "this" => Base::This,
        "true" | "false" => Base::Boolean,
        "super" | "import" | "null" => return None,
        name => Base::Name(plain(name)?),
    })
}

/// The key in the brackets of an index, where it is a string or a whole number.
fn index_between<'t>(tokens: &Tokens<'t>, bracket: usize, end: usize) -> Option<&'t str> {
    if bracket + 2 != end {
        return None;
    }
    let written = plain(tokens.read(bracket + 1))?;
    match tokens.kind(bracket + 1)? {
        Kind::Text => written.get(1..written.len().checked_sub(1)?),
        Kind::Number => {
            let is_plain = written.bytes().all(|byte| byte.is_ascii_digit());
            (is_plain && (written == "0" || !written.starts_with('0'))).then_some(written)
        }
        _ => None,
    }
}

/// Of a template's last piece, its first one.
fn start_of_template(tokens: &Tokens, last: usize) -> usize {
    let mut at = last;
    while !tokens.read(at).starts_with('`') || at > 0 && tokens.kind(at - 1) == Some(Kind::Close(Bracket::Template)) {
        let Some(close) = at.checked_sub(1).filter(|at| tokens.kind(*at) == Some(Kind::Close(Bracket::Template)))
        else {
            break;
        };
        at = tokens.all[close].opener;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place of the `|` in a text, in short.
    fn found(marked: &str) -> String {
        let (before, after) = marked.split_once('|').expect("a cursor");
        let code = [before, after].concat();
        let place = place(&code, u32::try_from(before.encode_utf16().count()).unwrap());
        let chained = |chain: &Chain| {
            let keys: String = chain.keys.iter().map(|key| format!(" {key}")).collect();
            match chain.base {
                Base::Name(name) => format!("{name}{keys}"),
                base => format!("<{base:?}>{keys}"),
            }
        };
        let prefix = place.prefix;
        match &place.site {
            Site::Nothing => "-".into(),
            Site::Name => format!("name {prefix:?}"),
            Site::Member(chain) => format!("{} . {prefix:?}", chained(chain)),
            Site::Element(chain) => format!("{} [ {prefix:?}", chained(chain)),
            Site::Key(chain, quote) => format!("{} [{quote} {prefix:?}", chained(chain)),
        }
    }

    #[track_caller]
    fn check(marked: &str, expected: &str) {
        assert_eq!(found(marked), expected, "{marked}");
    }

    #[test]
    fn names_are_completed_wherever_code_stands() {
        check("|", "name \"\"");
        check("con|", "name \"con\"");
        check("f(con|", "name \"con\"");
        check("x = |", "name \"\"");
        check("x\n|", "name \"\"");
        check("`a ${con|", "name \"con\"");
        check("if (a) { con|} else {}", "name \"con\"");
        check("[...con|", "name \"con\"");
        check("/a/.test(con|", "name \"con\"");
        check("a[con|", "name \"con\"");
        check("été|", "name \"été\"");
    }

    #[test]
    fn chains_are_read_backwards_from_the_dot() {
        check("a.|", "a . \"\"");
        check("a.b[0][\"x\"]['y z'].pre|", "a b 0 x y z . \"pre\"");
        check("x + a\n  // why\n  .b\n  ?.c . |", "a b c . \"\"");
        check("a?.[0].|", "a 0 . \"\"");
        check("this.x|", "<This> . \"x\"");
        check("\"abc\".|", "<String> . \"\"");
        check("`t`.|", "<String> . \"\"");
        check("`a${b}c${`d${e}`}`.|", "<String> . \"\"");
        check("[1, [2]].m|", "<Array> . \"m\"");
        check("/re/g.|", "<Regexp> . \"\"");
        check("5..|", "<Number> . \"\"");
        check("(1).to|", "<Number> . \"to\"");
        check("((a.b).c).|", "a b c . \"\"");
        check("1n.|", "<Bigint> . \"\"");
        check("true.|", "<Boolean> . \"\"");
        check("a.return.|", "a return . \"\"");
        check("return a.|", "a . \"\"");
        check("new Map.|", "Map . \"\"");
    }

    #[test]
    fn what_would_have_to_be_called_or_computed_ends_a_chain() {
        for text in [
            "f().|",
            "f(1).x.|",
            "a[b].|",
            "a[0, 1].|",
            "(a, b).|",
            "(a.b + c).|",
            "f`x`.|",
            "({}).|",
            "super.|",
            "new Map().|",
            "(() => {}).|",
            "a.#x.|",
            "f\\u0061.|",
            "a[01].|",
            "a[1.5].|",
            "}.|",
            "null.|",
            "a.(b).|",
            "this.#x|",
            "class A { f() { this.|",
            "function f() { this.|",
            "if (a) .|",
            "a.b.5.|",
            "a b.|",
        ] {
            check(text, "-");
        }
        check("f((a).|", "a . \"\"");
        check("() => { this.|", "<This> . \"\"");
    }

    #[test]
    fn indexes_are_completed_in_brackets_and_in_quotes() {
        check("a[|", "a [ \"\"");
        check("a.b[1|", "a b [ \"1\"");
        check("a[\"|", "a [\" \"\"");
        check("a.b['x y|", "a b [' \"x y\"");
        check("a?.[\"x|", "a [\" \"x\"");
        check("[|", "name \"\"");
        check("f()[|", "name \"\"");
        check("[1|", "-");
        check("['a|", "-");
        check("a['\\x|", "-");
    }

    #[test]
    fn nothing_is_completed_where_no_name_can_stand() {
        for text in [
            "'con|",
            "\"con|",
            "`con|",
            "`${1} con|",
            "// con|",
            "/* con|",
            "/con|",
            "x = /[/con|",
            "12|",
            "1.|",
            "5.x|",
            "0xf|",
            "let x|",
            "const |",
            "var a, b|",
            "function f|",
            "function f(|",
            "class A|",
            "catch (e|",
            "({a|",
            "({a: 1, |",
            "import |",
            "class A { b|",
            "a |",
            "f() |",
            "#|",
            "#!a|",
            "x.#|",
        ] {
            check(text, "-");
        }
    }

    #[test]
    fn an_item_replaces_the_whole_word_in_utf_16() {
        let place = place("'😀'; con.x", 8);
        assert_eq!((place.prefix, place.from, place.to), ("co", 6, 9));
        let place = super::place("a.b", 2);
        assert_eq!((place.prefix, place.from, place.to), ("", 2, 2));
        // In the middle of a character, and behind the end.
        let place = super::place("a😀", 2);
        assert!(place.from <= 2 && place.to >= 2, "{place:?}");
        assert_eq!((super::place("ab", 9).from, super::place("ab", 9).to), (0, 9));
    }
}
