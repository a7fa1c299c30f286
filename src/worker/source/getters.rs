//! What a getter gives, for those who must not call it.

use oxc_allocator::Allocator;
use oxc_ast::ast::{Expression, ObjectPropertyKind, Statement};

use super::parse::{self, Frame};
use crate::sandbox::scratch;

/// The string that a getter returns whatever else is the case: its whole body is `return "…"`.
pub fn constant_of_getter(text: &str) -> Option<String> {
    // The text is short, but no text tells how deep it will lead a parser.
    scratch::run(&mut || false, || constant_of(text)).ok().flatten()
}

fn constant_of(text: &str) -> Option<String> {
    let object = format!("{{{}}}", text.trim_start().strip_prefix("static ").unwrap_or(text));
    let allocator = Allocator::default();
    let program = parse::parse(&allocator, &object, Frame::Object).ok()?;
    let Some(Statement::ExpressionStatement(statement)) = program.body.first() else { return None };
    let Expression::ObjectExpression(object) = &statement.expression else { return None };
    let [ObjectPropertyKind::ObjectProperty(property)] = &object.properties[..] else { return None };
    let Expression::FunctionExpression(function) = &property.value else { return None };
    if function.r#async || function.generator {
        return None;
    }
    let [Statement::ReturnStatement(only)] = &function.body.as_ref()?.statements[..] else { return None };
    match only.argument.as_ref()? {
        Expression::StringLiteral(text) if !text.lone_surrogates => Some(text.value.as_str().to_owned()),
        Expression::TemplateLiteral(template) if template.expressions.is_empty() => {
            let [whole] = &template.quasis[..] else { return None };
            whole.value.cooked.map(|text| text.as_str().to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::constant_of_getter;

    #[test]
    fn only_a_getter_that_does_nothing_but_return_a_text_has_a_constant() {
        for (text, constant) in [
            ("get [Symbol.toStringTag]() { return 'T' }", Some("T")),
            ("get [Symbol.toStringTag]() {\n  // why\n  return \"T\";\n}", Some("T")),
            ("get [Symbol.toStringTag]() { return `T` }", Some("T")),
            ("get() { return 'T' }", Some("T")),
            ("get [Symbol.toStringTag]() { return this.name }", None),
            ("get [Symbol.toStringTag]() { return `${a}` }", None),
            ("get [Symbol.toStringTag]() { count++; return 'T' }", None),
            ("get [Symbol.toStringTag]() { if (x) return 'T' }", None),
            ("async get() { return 'T' }", None),
            ("*get() { return 'T' }", None),
            ("function get [Symbol.toStringTag]() {\n    [native code]\n}", None),
            ("a: 1, get b() { return 'T' }", None),
            ("get b() { return 'T' }}, {a", None),
        ] {
            assert_eq!(constant_of_getter(text).as_deref(), constant, "{text}");
        }
    }
}
