//! The names that a text declares, wherever in it, and whether its last word is about to name something new.
//!
//! One pass over the tokens. Parentheses may turn out to be the parameters of an arrow function or a method only behind their end:
//! the names in them are candidates until then.

use super::tokens::{Bracket, Kind, Tokens};

/// What declares a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Let,
    Const,
    Var,
    Function,
    Class,
    Parameter,
    Import,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// Its token.
    pub at: usize,
    pub how: How,
}

#[derive(Debug, Default)]
pub struct Outline {
    pub names: Vec<Local>,
    /// The last word is a name that is being given: a declaration's, a parameter's, a key's.
    pub is_naming: bool,
    /// The end stands in a function that has its own `this`, or in a class.
    pub has_own_this: bool,
}

/// What the words directly within a pair of brackets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Code,
    /// A list of bindings behind `let`, `const` or `var`, each with a value perhaps.
    Bindings(How),
    /// Parameters, or a pattern.
    Pattern(How),
    /// Parameters, perhaps.
    Candidates,
    Import,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    bracket: Bracket,
    role: Role,
    /// A name or a pattern comes next, in a role that has them.
    expects: bool,
    /// A key comes next, in an object or a class.
    at_key: bool,
    has_own_this: bool,
    /// How many candidates there were before it.
    mark: usize,
}

/// What a keyword has announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Announced {
    Nothing,
    Function,
    Class,
    Catch,
}

pub fn outline(tokens: &Tokens) -> Outline {
    let mut pass = Pass {
        tokens,
        found: Outline::default(),
        candidates: Vec::new(),
        closed: None,
        outer: Vec::new(),
        here: Level::new(Bracket::Block, Role::Code, 0),
        announced: Announced::Nothing,
    };
    for index in 0..tokens.all.len() {
        pass.take(index);
    }
    pass.found.has_own_this = pass.outer.iter().chain([&pass.here]).any(|level| level.has_own_this);
    pass.found
}

impl Level {
    fn new(bracket: Bracket, role: Role, mark: usize) -> Level {
        Level {
            bracket,
            role,
            expects: matches!(role, Role::Pattern(_) | Role::Candidates),
            at_key: matches!(bracket, Bracket::Object | Bracket::Class),
            has_own_this: bracket == Bracket::Class,
            mark,
        }
    }

    fn is_pattern(&self) -> bool {
        matches!(self.role, Role::Pattern(_))
    }
}

struct Pass<'a> {
    tokens: &'a Tokens<'a>,
    found: Outline,
    candidates: Vec<usize>,
    /// Parentheses with candidates have just ended; the mark of the first.
    closed: Option<usize>,
    outer: Vec<Level>,
    here: Level,
    announced: Announced,
}

impl Pass<'_> {
    fn take(&mut self, index: usize) {
        let kind = self.tokens.all[index].kind;
        self.found.is_naming = false;
        self.settle_candidates(index, kind);
        match kind {
            Kind::Word if index > 0 && self.tokens.is_dot(index - 1) => self.here.expects &= self.here.is_pattern(),
            Kind::Word => self.word(index),
            Kind::Open(bracket) => self.open(index, bracket),
            Kind::Close(_) => self.close(),
            Kind::Sign => self.sign(index),
            Kind::Private | Kind::Number | Kind::Text | Kind::Template | Kind::Regexp => {
                // In an object it may be a key.
                if self.here.role == Role::Candidates && self.here.bracket != Bracket::Object {
                    self.here.expects = false;
                }
            }
        }
        if kind != Kind::Word && !self.tokens.is_sign(index, "*") {
            self.announced = Announced::Nothing;
        }
    }

    /// Behind parentheses: an arrow or a body makes what was in them parameters.
    fn settle_candidates(&mut self, index: usize, kind: Kind) {
        let Some(mark) = self.closed.take() else { return };
        let were_parameters = kind == Kind::Open(Bracket::Block) || self.tokens.is_sign(index, "=>");
        for at in self.candidates.drain(mark..) {
            if were_parameters {
                self.found.names.push(Local { at, how: How::Parameter });
            }
        }
    }

    fn declare(&mut self, at: usize, how: How) {
        self.found.names.push(Local { at, how });
        self.found.is_naming = true;
    }

    fn word(&mut self, index: usize) {
        let word = self.tokens.read(index);
        match std::mem::replace(&mut self.announced, Announced::Nothing) {
            Announced::Function => return self.declare(index, How::Function),
            Announced::Class if word != "extends" => return self.declare(index, How::Class),
            Announced::Nothing | Announced::Class | Announced::Catch => {}
        }
        if self.named(index, word) {
            return;
        }
        if self.here.at_key {
            self.found.is_naming = true;
            return;
        }
        self.keyword(index, word);
    }

    /// Takes a word for a name that is declared, where one is expected.
    fn named(&mut self, index: usize, word: &str) -> bool {
        let is_key = self.here.bracket == Bracket::Object && self.tokens.is_sign(index + 1, ":") && self.here.at_key;
        match self.here.role {
            Role::Code => false,
            Role::Import => {
                match word {
                    "from" | "as" => {}
                    _ if self.tokens.read(index + 1) == "as" => self.found.is_naming = true,
                    _ => self.declare(index, How::Import),
                }
                if word == "from" && self.here.bracket != Bracket::Object {
                    self.here.role = Role::Code;
                }
                true
            }
            Role::Bindings(how) | Role::Pattern(how) if self.here.expects => {
                if is_key {
                    self.found.is_naming = true;
                } else {
                    self.declare(index, how);
                    self.here.expects = false;
                }
                true
            }
            Role::Bindings(_) => {
                let goes_on = matches!(word, "instanceof" | "in" | "of");
                let is_new_statement = self.tokens.all[index].is_first_on_line && self.tokens.ends_value(index - 1);
                if (is_new_statement && !goes_on) || word == "of" {
                    self.here.role = Role::Code;
                }
                false
            }
            Role::Candidates if self.here.expects && !is_key => {
                self.candidates.push(index);
                self.here.expects = false;
                // In an object this is a key as well, and after `function` more than a name.
                false
            }
            Role::Pattern(_) | Role::Candidates => false,
        }
    }

    fn keyword(&mut self, index: usize, word: &str) {
        let how = match word {
            "let" => How::Let,
            "const" => How::Const,
            "var" => How::Var,
            "function" => {
                self.announced = Announced::Function;
                return;
            }
            "class" => {
                self.announced = Announced::Class;
                return;
            }
            "catch" => {
                self.announced = Announced::Catch;
                return;
            }
            "import" => {
                let is_expression = self.tokens.is_dot(index + 1) || self.tokens.read(index + 1) == "(";
                if self.here.role == Role::Code && !is_expression && self.tokens.get(index + 1).is_some() {
                    self.here.role = Role::Import;
                }
                return;
            }
            _ => return,
        };
        if matches!(self.here.role, Role::Code | Role::Bindings(_)) {
            self.here.role = Role::Bindings(how);
            self.here.expects = true;
        }
    }

    fn sign(&mut self, index: usize) {
        match self.tokens.read(index) {
            "=>" => {
                if index > 0 && self.tokens.kind(index - 1) == Some(Kind::Word) {
                    self.found.names.push(Local { at: index - 1, how: How::Parameter });
                }
            }
            "," => {
                self.here.at_key = self.here.bracket == Bracket::Object;
                self.here.expects = self.here.role != Role::Code;
            }
            ";" => {
                self.here.at_key = self.here.bracket == Bracket::Class;
                if matches!(self.here.role, Role::Bindings(_) | Role::Import) {
                    self.here.role = Role::Code;
                }
            }
            // A key is over, and in a pattern a name comes after it.
            ":" => self.here.at_key = false,
            "..." => self.here.at_key = false,
            "=" => {
                self.here.at_key = false;
                self.here.expects = false;
            }
            "*" => {}
            _ => self.here.expects &= self.here.role != Role::Candidates,
        }
    }

    fn open(&mut self, index: usize, bracket: Bracket) {
        let mark = self.candidates.len();
        let role = match bracket {
            Bracket::Paren if self.announced == Announced::Function || self.is_named_function(index) => {
                Role::Pattern(How::Parameter)
            }
            Bracket::Head if self.announced == Announced::Catch => Role::Pattern(How::Let),
            Bracket::Paren => Role::Candidates,
            Bracket::Square | Bracket::Object if self.here.expects => self.role_of_pattern(index),
            Bracket::Object | Bracket::Block if self.here.role == Role::Import => Role::Import,
            _ => Role::Code,
        };
        if bracket == Bracket::Paren {
            // The parameters of a method, or a call in its computed name.
            self.here.at_key = false;
        }
        if role != Role::Code || self.here.role == Role::Candidates && bracket != Bracket::Square {
            self.here.expects = false;
        }
        let has_own_this =
            bracket == Bracket::Block && index > 0 && self.tokens.kind(index - 1) == Some(Kind::Close(Bracket::Paren));
        self.outer.push(self.here);
        self.here = Level::new(bracket, role, mark);
        self.here.has_own_this |= has_own_this;
    }

    /// Whether these parentheses follow the name of a function.
    fn is_named_function(&self, index: usize) -> bool {
        let Some(before) = index.checked_sub(2).map(|at| self.tokens.read(at)) else { return false };
        let is_generator = before == "*" && index >= 3 && self.tokens.read(index - 3) == "function";
        self.tokens.kind(index - 1) == Some(Kind::Word) && (before == "function" || is_generator)
    }

    fn role_of_pattern(&self, index: usize) -> Role {
        let is_computed_key = self.here.at_key && self.tokens.kind(index) == Some(Kind::Open(Bracket::Square));
        match self.here.role {
            _ if is_computed_key => Role::Code,
            Role::Bindings(how) | Role::Pattern(how) => Role::Pattern(how),
            other => other,
        }
    }

    fn close(&mut self) {
        let inner = self.here;
        let Some(outer) = self.outer.pop() else { return };
        self.here = outer;
        if inner.role == Role::Candidates && inner.bracket == Bracket::Paren {
            self.closed = Some(inner.mark);
        }
        if self.here.bracket == Bracket::Class && inner.bracket == Bracket::Block {
            self.here.at_key = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str) -> Vec<String> {
        let tokens = Tokens::of(text);
        let names = outline(&tokens).names.into_iter();
        let mut names: Vec<_> = names.map(|name| tokens.read(name.at).to_owned()).collect();
        names.sort();
        names.dedup();
        names
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(declared(text).join(" "), expected, "{text}");
    }

    #[test]
    fn declarations_name_what_they_bind_and_not_what_they_read() {
        check("let a = b, c; d, e", "a c");
        check("const {a, b: c, d = e, ...f} = g, [h, , i = j] = k", "a c d f h i");
        check("var {[a]: b, 'c': d, e: {f}} = g", "b d f");
        check("let a = {b: c, d}, e = [f, g], h = i(j, k)", "a e h");
        check("let a = 1\nb, c", "a");
        check("let a\nlet b\nvar c = 1\n, d", "a b c d");
        check("for (const a of b) c; for (let d in e) f; for (let g = 0, h = i; ; ) ;", "a d g h");
        check("class A extends B { c(d) { let e } static f = g }", "A d e");
        check("function a(b, {c, d: [e]}, ...f) { return g }", "a b c e f");
        check("function* a(b = c) {} async function d() {} (function (e) {})", "a b d e");
        check("try {} catch (a) {} try {} catch ({b}) {}", "a b");
        check("import a, {b as c, d} from 'e'; import * as f from 'g'\nh", "a c d f");
        check("import('a').then(b)", "");
        check("a.let = b; ({let: c, class: d, function: e})", "");
    }

    #[test]
    fn parameters_of_arrows_and_methods_are_known_from_behind() {
        check("a => b", "a");
        check("(a, {b, c: d}, [e], f = g) => h", "a b d e f");
        check("h((a, b) => c, d)", "a b");
        check("(a = (b) => c) => d", "a b");
        check("({ a(b, c) { d } })", "b c");
        check("f(a, {b: c}, [d])", "");
        check("if (a) { b } while (c) { d }", "");
        check("(a + b, -c)", "");
    }

    #[track_caller]
    fn check_end(text: &str, is_naming: bool) {
        assert_eq!(outline(&Tokens::of(text)).is_naming, is_naming, "{text}");
    }

    #[test]
    fn a_word_that_names_something_is_known() {
        for text in [
            "let a",
            "const {a",
            "let [a",
            "let a = 1, b",
            "let {a: b",
            "function f",
            "function f(a",
            "class A",
            "catch (e",
            "({a",
            "({a: 1, b",
            "class A { b",
            "class A { c() {} b",
            "class A { static b",
            "import a",
            "({ get a",
            "({ async a",
        ] {
            check_end(text, true);
        }
        for text in [
            "let a = b",
            "let {a = b",
            "a",
            "f(a",
            "[a",
            "({a: b",
            "({...a",
            "({[a",
            "function f(a = b",
            "`${a",
            "class A extends B",
            "class A { b = c",
            "{ a",
            "return a",
            "x => a",
            "if (a",
            "for (let a of b",
            "a.b",
            "let a = 1\nb",
            "case a",
            "f({a: 1}, b",
        ] {
            check_end(text, false);
        }
    }
}
