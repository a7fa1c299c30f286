//! Enums, and the constants that they are made of as far as TypeScript's own compiler works them out: it decides by them what a
//! member without a value is, and which members have a way back from their value to their name.

use std::collections::HashMap;

use oxc_ast::ast::{
    BinaryExpression, BindingPattern, Expression, IdentifierReference, TSEnumDeclaration, TSEnumMember,
    TSEnumMemberName, VariableDeclarationKind, VariableDeclarator,
};
use oxc_ast_visit::Visit;
use oxc_semantic::Scoping;
use oxc_span::GetSpan;
use oxc_syntax::operator::{BinaryOperator, UnaryOperator};
use oxc_syntax::scope::ScopeId;
use oxc_syntax::symbol::SymbolId;

use super::namespaces::Lowering;
use super::spaces::{Space, Spaces};

/// What is known of a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Constant {
    Number(f64),
    /// Which text does not matter.
    Text,
}

/// The constants of a text that have been met so far.
pub struct Constants<'s> {
    spaces: &'s Spaces,
    scoping: &'s Scoping,
    members: HashMap<(Space, String), Constant>,
    variables: HashMap<SymbolId, Constant>,
}

/// What a member of an enum is called.
pub fn name_of(member: &TSEnumMember<'_>) -> String {
    match &member.id {
        TSEnumMemberName::Identifier(name) => name.name.as_str().to_owned(),
        TSEnumMemberName::String(name) | TSEnumMemberName::ComputedString(name) => name.value.as_str().to_owned(),
        TSEnumMemberName::ComputedTemplateString(name) => {
            let texts = name.quasis.iter().filter_map(|part| part.value.cooked);
            texts.map(|text| text.as_str().to_owned()).collect()
        }
    }
}

/// Whether an expression is a text by the way it is written.
pub fn is_syntactically_text(expression: &Expression<'_>) -> bool {
    match expression.without_parentheses() {
        Expression::StringLiteral(_) | Expression::TemplateLiteral(_) => true,
        Expression::BinaryExpression(both) if both.operator == BinaryOperator::Addition => {
            is_syntactically_text(&both.left) || is_syntactically_text(&both.right)
        }
        _ => false,
    }
}

impl<'s> Constants<'s> {
    pub fn new(spaces: &'s Spaces, scoping: &'s Scoping) -> Constants<'s> {
        Constants { spaces, scoping, members: HashMap::new(), variables: HashMap::new() }
    }

    /// Notes a member of the enum that has this block, or something that a namespace exports.
    pub fn note(&mut self, scope: ScopeId, name: &str, value: Constant) {
        if let Some(space) = self.spaces.space(scope) {
            self.members.insert((space, name.to_owned()), value);
        }
    }

    /// Notes a variable, where it is a constant that says no type.
    pub fn note_variable(&mut self, kind: VariableDeclarationKind, declarator: &VariableDeclarator<'_>) {
        let (BindingPattern::BindingIdentifier(id), Some(init)) = (&declarator.id, &declarator.init) else { return };
        if kind.is_const()
            && declarator.type_annotation.is_none()
            && let Some(symbol) = id.symbol_id.get()
            && let Some(value) = self.of(init)
        {
            self.variables.insert(symbol, value);
            self.note(self.scoping.symbol_scope_id(symbol), id.name.as_str(), value);
        }
    }

    /// What an expression comes to, where that is a constant.
    pub fn of(&self, expression: &Expression<'_>) -> Option<Constant> {
        match expression {
            Expression::NumericLiteral(number) => Some(Constant::Number(number.value)),
            Expression::StringLiteral(_) => Some(Constant::Text),
            Expression::TemplateLiteral(template) => {
                template.expressions.iter().all(|part| self.of(part).is_some()).then_some(Constant::Text)
            }
            Expression::ParenthesizedExpression(inner) => self.of(&inner.expression),
            Expression::UnaryExpression(unary) => {
                let Constant::Number(value) = self.of(&unary.argument)? else { return None };
                match unary.operator {
                    UnaryOperator::UnaryPlus => Some(Constant::Number(value)),
                    UnaryOperator::UnaryNegation => Some(Constant::Number(-value)),
                    UnaryOperator::BitwiseNot => Some(Constant::Number(f64::from(!to_int32(value)))),
                    _ => None,
                }
            }
            Expression::BinaryExpression(both) => self.of_both(both),
            Expression::Identifier(id) => self.of_name(id),
            Expression::StaticMemberExpression(member) => self.of_member(&member.object, member.property.name.as_str()),
            Expression::ComputedMemberExpression(member) => match &member.expression {
                Expression::StringLiteral(name) => self.of_member(&member.object, name.value.as_str()),
                _ => None,
            },
            _ => None,
        }
    }

    fn of_name(&self, id: &IdentifierReference<'_>) -> Option<Constant> {
        if let Some((space, _)) = self.spaces.owner_of(id, self.scoping) {
            return self.members.get(&(space, id.name.as_str().to_owned())).copied();
        }
        match self.scoping.get_reference(id.reference_id.get()?).symbol_id() {
            Some(symbol) => self.variables.get(&symbol).copied(),
            None if id.name == "Infinity" => Some(Constant::Number(f64::INFINITY)),
            None if id.name == "NaN" => Some(Constant::Number(f64::NAN)),
            None => None,
        }
    }

    fn of_member(&self, object: &Expression<'_>, name: &str) -> Option<Constant> {
        let Expression::Identifier(id) = object else { return None };
        let space = self.spaces.named(id, self.scoping)?;
        self.members.get(&(space, name.to_owned())).copied()
    }

    fn of_both(&self, both: &BinaryExpression<'_>) -> Option<Constant> {
        let (left, right) = (self.of(&both.left)?, self.of(&both.right)?);
        let (Constant::Number(left), Constant::Number(right)) = (left, right) else {
            return (both.operator == BinaryOperator::Addition).then_some(Constant::Text);
        };
        let shift = to_int32(right).cast_unsigned() & 31;
        Some(Constant::Number(match both.operator {
            BinaryOperator::Addition => left + right,
            BinaryOperator::Subtraction => left - right,
            BinaryOperator::Multiplication => left * right,
            BinaryOperator::Division => left / right,
            BinaryOperator::Remainder => left % right,
            BinaryOperator::Exponential => left.powf(right),
            BinaryOperator::BitwiseOR => f64::from(to_int32(left) | to_int32(right)),
            BinaryOperator::BitwiseAnd => f64::from(to_int32(left) & to_int32(right)),
            BinaryOperator::BitwiseXOR => f64::from(to_int32(left) ^ to_int32(right)),
            BinaryOperator::ShiftLeft => f64::from(to_int32(left) << shift),
            BinaryOperator::ShiftRight => f64::from(to_int32(left) >> shift),
            BinaryOperator::ShiftRightZeroFill => f64::from(to_int32(left).cast_unsigned() >> shift),
            _ => return None,
        }))
    }
}

impl<'a> Lowering<'_> {
    pub(super) fn enumeration(&mut self, declaration: &TSEnumDeclaration<'a>) {
        let exported = self.exported.take();
        let start = exported.unwrap_or(declaration.span.start);
        if declaration.declare {
            if !self.blocks.is_empty() {
                self.replace(start, declaration.span.end, "");
            }
            return;
        }
        let Some(scope) = declaration.body.scope_id.get() else { return };
        let parameter = self.spaces.parameter(scope);
        let (open, close) = self.ends(&declaration.id, &parameter, exported.is_some());
        self.replace(start, declaration.body.span.start + 1, open);
        let mut end = declaration.body.span.start + 1;
        let mut last = Some(Constant::Number(-1.0));
        for member in &declaration.body.members {
            // A comma, but for the first; what stands there may also be a comment.
            if end > declaration.body.span.start + 1 {
                self.replace(end, member.span.start, "; ");
            }
            last = self.member(member, &parameter, scope, last);
            end = member.span.end;
        }
        self.replace(end, declaration.body.span.end, close);
    }

    /// A member of an enum; its value, where that is a constant.
    fn member(
        &mut self,
        member: &TSEnumMember<'a>,
        parameter: &str,
        scope: ScopeId,
        last: Option<Constant>,
    ) -> Option<Constant> {
        let name = name_of(member);
        let key = serde_json::to_string(&name).expect("a string is always JSON");
        let Some(init) = &member.initializer else {
            let Some(Constant::Number(last)) = last else {
                self.refuse(
                    member.span.start,
                    "This enum member needs a value: the one before it is not a constant number",
                );
                return None;
            };
            let value = last + 1.0;
            self.constants.note(scope, &name, Constant::Number(value));
            self.replace(
                member.span.start,
                member.span.end,
                format!("{parameter}[{parameter}[{key}] = {value}] = {key}"),
            );
            return Some(Constant::Number(value));
        };
        let value = self.constants.of(init);
        if let Some(value) = value {
            self.constants.note(scope, &name, value);
        }
        let is_text = value == Some(Constant::Text) || is_syntactically_text(init);
        let (before, behind) = if is_text {
            (format!("{parameter}[{key}] = ("), ")".to_owned())
        } else {
            (format!("{parameter}[{parameter}[{key}] = ("), format!(")] = {key}"))
        };
        self.replace(member.span.start, init.span().start, before);
        self.visit_expression(init);
        self.insert(init.span().end, behind);
        value
    }
}

/// The language's own `ToInt32`.
fn to_int32(value: f64) -> i32 {
    const MODULUS: f64 = 4_294_967_296.0;
    if !value.is_finite() {
        return 0;
    }
    (value.trunc().rem_euclid(MODULUS) as u32).cast_signed()
}
