//! The names that the runs of a session have declared, and under which name the engine knows them.
//!
//! A name that the engine has bound can be assigned as long as its binding is mutable and alive. A `const`, and a binding whose
//! initialiser threw, cannot: when such a name is declared again, the engine gets a fresh name for it, an *alias*, and later runs
//! mean that one.

use std::collections::HashMap;

/// The characters that make an alias of a name: legal in identifiers, without width, and used in no program.
const ALIAS_MARK: char = '\u{200c}';
const ALIAS_DIGITS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// Names that are kept. More than programs have; the code of many failing runs must not fill the memory.
const MOST_NAMES: usize = 100_000;

/// How a name was declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `const`, an import.
    Const,
    /// `let`, `class`.
    Lexical,
    /// `var`, `function`.
    Var,
}

#[derive(Debug, Clone)]
pub struct Binding {
    pub kind: Kind,
    /// What the engine calls it, where that is not its name.
    pub native: Option<String>,
    /// The run that declared it has not come to its end, so it may be uninitialised for ever, or may not be there at all.
    pub is_unsure: bool,
}

/// A binding that is no property of the global object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lexical {
    pub native: String,
    pub is_constant: bool,
    /// The engine has it for certain.
    pub is_sure: bool,
}

/// A name that a run declares.
#[derive(Debug, Clone)]
pub struct Declared {
    pub name: String,
    pub kind: Kind,
    pub native: Option<String>,
}

#[derive(Debug, Default)]
pub struct Names {
    table: HashMap<String, Binding>,
    /// How many of them have aliases.
    aliases: usize,
    next_alias: u32,
    unsure: Vec<String>,
}

impl Names {
    pub fn get(&self, name: &str) -> Option<&Binding> {
        self.table.get(name)
    }

    /// A name that a script cannot find among the properties of the global object.
    pub fn lexical(&self, name: &str) -> Option<Lexical> {
        lexical(name, self.table.get(name)?)
    }

    /// All of those, in no order.
    pub fn lexicals(&self) -> impl Iterator<Item = (&str, Lexical)> {
        self.table.iter().filter_map(|(name, binding)| Some((name.as_str(), lexical(name, binding)?)))
    }

    /// What the engine calls a name that a text uses, where that is not the name itself.
    pub fn alias_of(&self, name: &str) -> Option<&str> {
        if self.aliases == 0 {
            return None;
        }
        self.table.get(name)?.native.as_deref()
    }

    pub fn has_aliases(&self) -> bool {
        self.aliases > 0
    }

    /// A name that nothing has: looks like `name`, and reads like it in messages.
    pub fn fresh_alias(&mut self, name: &str) -> String {
        self.next_alias += 1;
        let mut alias = String::from(name);
        alias.push(ALIAS_MARK);
        let mut rest = self.next_alias;
        while rest > 0 {
            alias.push(ALIAS_DIGITS[(rest & 1) as usize]);
            rest >>= 1;
        }
        alias
    }

    /// Notes what a run is about to declare. Until [`Names::confirm`] nothing is sure about it.
    pub fn declare(&mut self, declared: Vec<Declared>) {
        for Declared { name, kind, native } in declared {
            if self.table.len() >= MOST_NAMES && !self.table.contains_key(&name) {
                continue;
            }
            let is_unsure = kind != Kind::Var;
            if is_unsure {
                self.unsure.push(name.clone());
            }
            self.aliases += usize::from(native.is_some());
            if let Some(old) = self.table.insert(name, Binding { kind, native, is_unsure }) {
                self.aliases -= usize::from(old.native.is_some());
            }
        }
    }

    /// The run has come to its end: everything that it declared is there and has its value.
    pub fn confirm(&mut self) {
        for name in self.unsure.drain(..) {
            if let Some(binding) = self.table.get_mut(&name) {
                binding.is_unsure = false;
            }
        }
    }

    /// The run has failed: what it declared stays unsure, until somebody wants to know.
    pub fn leave_unsure(&mut self) {
        self.unsure.clear();
    }

    /// A binding has been looked at, and is alive.
    pub fn note_alive(&mut self, name: &str) {
        if let Some(binding) = self.table.get_mut(name) {
            binding.is_unsure = false;
        }
    }
}

fn lexical(name: &str, binding: &Binding) -> Option<Lexical> {
    // A function has an alias where its name is a constant's, and then the alias is a `let`. Nobody has asked whether it is there.
    let is_variable = binding.kind == Kind::Var;
    if is_variable && binding.native.is_none() {
        return None;
    }
    Some(Lexical {
        native: binding.native.clone().unwrap_or_else(|| name.to_owned()),
        is_constant: binding.kind == Kind::Const,
        is_sure: !binding.is_unsure && !is_variable,
    })
}

/// A message of the engine's with every alias as the name that it stands for.
pub fn without_aliases(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(mark) = rest.find(ALIAS_MARK) {
        let (before, from_mark) = rest.split_at(mark);
        let digits = &from_mark[ALIAS_MARK.len_utf8()..];
        let end = digits.find(|c| !ALIAS_DIGITS.contains(&c)).unwrap_or(digits.len());
        out += before;
        // A mark alone is somebody's own.
        out += if end > 0 { "" } else { &from_mark[..ALIAS_MARK.len_utf8()] };
        rest = &digits[end..];
    }
    out + rest
}
