//! What is said of an item: its kind, and a few words.

use rquickjs::{Object, Result, Value};

use super::keywords;
use super::live::Live;
use super::outline::How;
use super::tokens::{Bracket, Kind, Tokens};
use crate::ipc::CompletionKind;
use crate::worker::inspect;
use crate::worker::source::Lexical;
use crate::worker::tools::Slot;

/// Characters of a detail.
const MOST_DETAIL: usize = 100;

/// Characters of the parameters that are shown. Of a longer list only the number is.
const MOST_PARAMETERS: usize = 60;

/// UTF-16 units of a function's text in which its parameters are looked for.
const MOST_HEAD: usize = 512;

/// What one item is.
pub type Described = (CompletionKind, String);

/// A name that the text itself declares.
pub fn local(how: How) -> Described {
    let (kind, detail) = match how {
        How::Let => (CompletionKind::Variable, "let"),
        How::Const => (CompletionKind::Constant, "const"),
        How::Var => (CompletionKind::Variable, "var"),
        How::Function => (CompletionKind::Function, "function"),
        How::Class => (CompletionKind::Class, "class"),
        How::Parameter => (CompletionKind::Variable, "parameter"),
        How::Import => (CompletionKind::Constant, "import"),
    };
    (kind, detail.to_owned())
}

impl<'js> Live<'_, 'js> {
    /// A binding of an earlier run; `None` for one that has no value.
    pub fn describe_lexical(&self, lexical: &Lexical) -> Result<Option<Described>> {
        let Some(value) = self.lexical(lexical)? else { return Ok(None) };
        let kind = match self.kind_of_function(&value)? {
            Some(kind) => kind,
            None if lexical.is_constant => CompletionKind::Constant,
            None => CompletionKind::Variable,
        };
        Ok(Some((kind, self.describe_value(&value)?)))
    }

    /// An own property of an object that is no proxy.
    pub fn describe_property(
        &self,
        key: &str,
        level: usize,
        holder: &Object<'js>,
        is_global: bool,
    ) -> Result<Option<Described>> {
        let slot = self.read(holder, key)?;
        let function = match &slot {
            Slot::Value(value) => self.kind_of_function(value)?,
            Slot::Absent | Slot::Getter | Slot::Setter | Slot::Accessor => None,
        };
        let is_accessor = !matches!(slot, Slot::Value(_));
        let kind = match function {
            Some(CompletionKind::Function) if !is_global => CompletionKind::Method,
            Some(kind) => kind,
            None if !is_global => CompletionKind::Property,
            None if keywords::is_constant(key) => CompletionKind::Constant,
            // Nobody asks it, so its name has to say what it is.
            None if is_accessor && key.starts_with(char::is_uppercase) => CompletionKind::Class,
            None => CompletionKind::Variable,
        };
        let mut detail = self.describe_slot(&slot)?;
        if level > 0
            && let Some(owner) = self.owner(holder)?
        {
            detail = format!("{detail}, from {owner}");
        }
        Ok(Some((kind, cut(detail))))
    }

    pub fn describe_slot(&self, slot: &Slot<'js>) -> Result<String> {
        Ok(match slot {
            Slot::Value(value) => self.describe_value(value)?,
            Slot::Getter => "getter".into(),
            Slot::Setter => "setter".into(),
            Slot::Accessor => "getter and setter".into(),
            Slot::Absent => "undefined".into(),
        })
    }

    /// A primitive's type, an object's class, a function's parameters.
    fn describe_value(&self, value: &Value<'js>) -> Result<String> {
        Ok(if value.is_undefined() {
            "undefined".into()
        } else if value.is_null() {
            "null".into()
        } else if value.is_bool() {
            "boolean".into()
        } else if value.is_number() {
            "number".into()
        } else if value.is_big_int() {
            "bigint".into()
        } else if value.is_string() {
            "string".into()
        } else if value.is_symbol() {
            "symbol".into()
        } else {
            match value.as_object().filter(|_| value.is_function() && !value.is_proxy()) {
                Some(function) => self.describe_function(function)?,
                None => cut(inspect::glimpse(self.ctx, self.host, value)?.text),
            }
        })
    }

    fn kind_of_function(&self, value: &Value<'js>) -> Result<Option<CompletionKind>> {
        let Some(function) = value.as_object().filter(|_| value.is_function()) else { return Ok(None) };
        let is_class = !value.is_proxy() && self.is_class(function)?;
        Ok(Some(if is_class { CompletionKind::Class } else { CompletionKind::Function }))
    }

    /// Whether a function is there to be called with `new`: by its text, or by its name and its prototype.
    fn is_class(&self, function: &Object<'js>) -> Result<bool> {
        if self.look.function_kind(function)? == "class" {
            return Ok(true);
        }
        let has_prototype =
            matches!(self.read(function, "prototype")?, Slot::Value(prototype) if prototype.is_object());
        Ok(has_prototype && self.name_of(function)?.is_some_and(|name| name.starts_with(char::is_uppercase)))
    }

    fn describe_function(&self, function: &Object<'js>) -> Result<String> {
        if self.is_class(function)? {
            return Ok("class".into());
        }
        if let Some(text) = self.look.function_text(function)? {
            let head = self.look.text(&text, MOST_HEAD)?;
            if let Some(parameters) = parameters(&head) {
                return Ok(format!("({parameters})"));
            }
        }
        let length = self.read(function, "length")?.value().and_then(|length| length.as_number());
        Ok(match length {
            Some(0.0) => "no parameters".into(),
            Some(1.0) => "1 parameter".into(),
            Some(length) if length > 0.0 && length < 1e6 => format!("{} parameters", length.trunc()),
            _ => "function".into(),
        })
    }

    /// What a prototype belongs to, by the name of its constructor. That of a class may be another class.
    fn owner(&self, prototype: &Object<'js>) -> Result<Option<String>> {
        let constructor = match self.read(prototype, "constructor")? {
            Slot::Value(constructor) => constructor,
            _ => prototype.as_value().clone(),
        };
        match constructor.as_object().filter(|_| constructor.is_function() && !constructor.is_proxy()) {
            Some(constructor) => self.name_of(constructor),
            None => Ok(None),
        }
    }

    fn name_of(&self, function: &Object<'js>) -> Result<Option<String>> {
        let name = self.read(function, "name")?.value();
        let Some(name) = name.as_ref().and_then(Value::as_string) else { return Ok(None) };
        self.look.text(name, MOST_PARAMETERS).map(|name| Some(name).filter(|name| !name.is_empty()))
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MOST_DETAIL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The parameters at the start of a function's text, on one line. `None` where they are not to be seen: of the engine's own functions,
/// and of too long a list.
fn parameters(head: &str) -> Option<String> {
    if head.contains("[native code]") {
        return None;
    }
    let tokens = Tokens::of(head);
    let mut at = 0;
    let between = loop {
        match tokens.kind(at)? {
            // The computed name of a method.
            Kind::Open(Bracket::Square) => at = closing(&tokens, at)?,
            Kind::Open(Bracket::Paren | Bracket::Head) => {
                let close = closing(&tokens, at)?;
                break &head[tokens.get(at)?.end..tokens.get(close)?.start];
            }
            Kind::Sign if tokens.read(at) == "=>" => break tokens.read(at.checked_sub(1)?),
            Kind::Open(_) | Kind::Close(_) => return None,
            _ => {}
        }
        at += 1;
    };
    let line = between.split_whitespace().collect::<Vec<_>>().join(" ");
    (line.chars().count() <= MOST_PARAMETERS).then_some(line)
}

fn closing(tokens: &Tokens, opener: usize) -> Option<usize> {
    let is_closing = |token: &super::tokens::Token| matches!(token.kind, Kind::Close(_)) && token.opener == opener;
    tokens.all.iter().position(is_closing)
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn parameters_are_read_off_a_functions_text() {
        for (text, expected) in [
            ("function f(a, b = (1), {c}) { d() }", Some("a, b = (1), {c}")),
            ("(a,\n  b) => c", Some("a, b")),
            ("async a => b(c)", Some("a")),
            ("[f(')')](a) { }", Some("a")),
            ("get(a) {}", Some("a")),
            ("if(a) {}", Some("a")),
            ("function* () {}", Some("")),
            ("function slice() {\n    [native code]\n}", None),
            ("function f(a", None),
            ("", None),
        ] {
            assert_eq!(parameters(text).as_deref(), expected, "{text}");
        }
        assert_eq!(parameters(&format!("({}) => 1", "a".repeat(100))), None);
    }
}
