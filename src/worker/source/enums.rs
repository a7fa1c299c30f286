//! The constants that enums are made of, as far as TypeScript's own compiler works them out: it decides by them what a member
//! without a value is, and which members have a way back from their value to their name.

use std::collections::HashMap;

use oxc_ast::ast::{
    BinaryExpression, BindingPattern, Expression, IdentifierReference, TSEnumMember, TSEnumMemberName,
    VariableDeclarationKind, VariableDeclarator,
};
use oxc_semantic::Scoping;
use oxc_syntax::operator::{BinaryOperator, UnaryOperator};
use oxc_syntax::scope::ScopeId;
use oxc_syntax::symbol::SymbolId;

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

/// The language's own `ToInt32`.
fn to_int32(value: f64) -> i32 {
    const MODULUS: f64 = 4_294_967_296.0;
    if !value.is_finite() {
        return 0;
    }
    (value.trunc().rem_euclid(MODULUS) as u32).cast_signed()
}
