//! Where an error was that the engine gives no place of its own: it notes none for a property that is read. (Patterns are not looked
//! at: what they are to take apart and is nothing gets another message.)

use oxc_allocator::Allocator;
use oxc_ast::ast::{ComputedMemberExpression, Expression, StaticMemberExpression};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};

use super::parse;
use super::repl;
use crate::sandbox::scratch;

/// Texts that are searched. Whoever has a longer one has names in it more than once.
const MOST_SEARCHED: usize = 32 << 10;

/// What the engine says before and behind the name of a property, when what should have it is nothing.
const MESSAGES: [&str; 2] = ["cannot read property '", "cannot set property '"];
const BEHIND: [&str; 2] = ["' of undefined", "' of null"];

/// The byte of a text where the property stands that a message is about, as long as there is no doubt: it is the only one of that
/// name, no key is computed, and the text has no such message itself.
pub fn property(text: &str, message: &str) -> Option<usize> {
    let name = MESSAGES.iter().find_map(|start| message.strip_prefix(start))?;
    let name = BEHIND.iter().find_map(|end| name.strip_suffix(end))?;
    if text.len() > MOST_SEARCHED || !text.contains(name) || MESSAGES.iter().any(|start| text.contains(start)) {
        return None;
    }
    // The engine has run the text, but nobody knows whether this stack would do for it.
    scratch::run(&mut || false, || only_place(text, name)).ok().flatten()
}

fn only_place(text: &str, name: &str) -> Option<usize> {
    repl::frames(text).into_iter().find_map(|frame| {
        let allocator = Allocator::default();
        let program = parse::parse(&allocator, text, frame).ok()?;
        let mut search = Search { name, found: Vec::new(), is_unsure: false };
        search.visit_program(&program);
        match search.found[..] {
            [only] if !search.is_unsure => Some((only.start as usize).saturating_sub(frame.start().len())),
            _ => None,
        }
    })
}

struct Search<'n> {
    name: &'n str,
    found: Vec<Span>,
    /// Some key is not known.
    is_unsure: bool,
}

impl Search<'_> {
    fn key(&mut self, name: Option<&str>, span: Span) {
        match name {
            None => self.is_unsure = true,
            Some(name) if name == self.name => self.found.push(span),
            Some(_) => {}
        }
    }
}

impl<'a> Visit<'a> for Search<'_> {
    fn visit_static_member_expression(&mut self, member: &StaticMemberExpression<'a>) {
        if !member.optional {
            self.key(Some(member.property.name.as_str()), member.property.span);
        }
        walk::walk_static_member_expression(self, member);
    }

    fn visit_computed_member_expression(&mut self, member: &ComputedMemberExpression<'a>) {
        match &member.expression {
            Expression::StringLiteral(text) => self.key(Some(text.value.as_str()), text.span),
            Expression::NumericLiteral(number) if number.value.fract() == 0.0 => {
                self.key(Some(&number.value.to_string()), number.span);
            }
            other => self.key(None, other.span()),
        }
        walk::walk_computed_member_expression(self, member);
    }
}
