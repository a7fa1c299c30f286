//! The walk of a [`Rewriter`] through a text: where it is (in a function, a `with`, a `try`), and what it meets there.

use oxc_ast::ast::{
    ArrowFunctionExpression, AssignmentExpression, AssignmentPattern, AssignmentTarget,
    AssignmentTargetPropertyIdentifier, AssignmentTargetWithDefault, AwaitExpression, BindingIdentifier,
    BindingPattern, BindingProperty, Expression, ForOfStatement, ForStatementLeft, Function, IdentifierReference,
    ObjectProperty, ReturnStatement, StaticBlock, TryStatement, VariableDeclaration, WithStatement,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::GetSpan;
use oxc_syntax::operator::AssignmentOperator;
use oxc_syntax::scope::ScopeFlags;

use super::repl::RETURN_HOOK;
use super::rewrite::Rewriter;

impl<'a> Visit<'a> for Rewriter<'_> {
    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        self.functions += 1;
        walk::walk_function(self, function, flags);
        self.functions -= 1;
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        self.functions += 1;
        walk::walk_arrow_function_expression(self, function);
        self.functions -= 1;
    }

    fn visit_static_block(&mut self, block: &StaticBlock<'a>) {
        self.functions += 1;
        walk::walk_static_block(self, block);
        self.functions -= 1;
    }

    fn visit_with_statement(&mut self, statement: &WithStatement<'a>) {
        self.visit_expression(&statement.object);
        // What a name means in here depends on an object.
        self.withs += 1;
        self.visit_statement(&statement.body);
        self.withs -= 1;
    }

    fn visit_try_statement(&mut self, statement: &TryStatement<'a>) {
        // A `finally` sees no difference between a return and a throw.
        let is_caught = statement.handler.is_some();
        self.catches += u32::from(is_caught);
        self.visit_block_statement(&statement.block);
        self.catches -= u32::from(is_caught);
        if let Some(handler) = &statement.handler {
            self.visit_catch_clause(handler);
        }
        if let Some(finalizer) = &statement.finalizer {
            self.visit_block_statement(finalizer);
        }
    }

    fn visit_await_expression(&mut self, expression: &AwaitExpression<'a>) {
        self.found.awaits |= self.functions == 0;
        walk::walk_await_expression(self, expression);
    }

    fn visit_for_of_statement(&mut self, statement: &ForOfStatement<'a>) {
        self.found.awaits |= statement.r#await && self.functions == 0;
        walk::walk_for_of_statement(self, statement);
    }

    fn visit_return_statement(&mut self, statement: &ReturnStatement<'a>) {
        if self.functions == 0 && !self.keeps_returns {
            self.found.returns = true;
            self.found.return_is_caught |= self.catches > 0;
            let start = self.at(statement.span.start);
            let keyword = start..start + "return".len();
            if let Some(argument) = &statement.argument {
                self.edits.replace(keyword, format!("throw {RETURN_HOOK}(("));
                self.visit_expression(argument);
                self.insert(argument.span().end, "))");
            } else {
                self.edits.replace(keyword, format!("throw {RETURN_HOOK}()"));
            }
            return;
        }
        walk::walk_return_statement(self, statement);
    }

    fn visit_variable_declaration(&mut self, declaration: &VariableDeclaration<'a>) {
        for declarator in &declaration.declarations {
            self.declarator(declaration.kind, declarator);
        }
    }

    fn visit_for_statement_left(&mut self, left: &ForStatementLeft<'a>) {
        if let ForStatementLeft::VariableDeclaration(declaration) = left
            && let Some(declarator) = declaration.declarations.first()
            && self.is_assigned_in(&declarator.id)
        {
            self.declare_vars_at_head(&declarator.id);
            for name in self.unbound_in(&declarator.id) {
                self.insert_at_head(format!("var {name};"));
            }
            let keyword = self.at(declaration.span.start)..self.at(declarator.span.start);
            self.edits.replace(keyword, "");
            self.visit_binding_pattern(&declarator.id);
            return;
        }
        walk::walk_for_statement_left(self, left);
    }

    fn visit_binding_identifier(&mut self, id: &BindingIdentifier<'a>) {
        if self.done.contains(&id.span.start) {
            return;
        }
        if let Some(again) = self.again_of(id)
            && again.native != id.name.as_str()
        {
            let (range, native) = (self.range(id.span), again.native.clone());
            self.edits.replace(range, native);
        }
    }

    fn visit_binding_property(&mut self, property: &BindingProperty<'a>) {
        if property.shorthand {
            let id = match &property.value {
                BindingPattern::BindingIdentifier(id) => Some(&**id),
                BindingPattern::AssignmentPattern(pattern) => match &pattern.left {
                    BindingPattern::BindingIdentifier(id) => Some(&**id),
                    _ => None,
                },
                _ => None,
            };
            if let Some(id) = id
                && self.again_of(id).is_some_and(|again| again.native != id.name.as_str())
            {
                self.insert(id.span.start, format!("{}: ", id.name));
            }
            return self.visit_binding_pattern(&property.value);
        }
        walk::walk_binding_property(self, property);
    }

    fn visit_assignment_pattern(&mut self, pattern: &AssignmentPattern<'a>) {
        self.visit_binding_pattern(&pattern.left);
        self.visit_value(&pattern.left, &pattern.right);
    }

    fn visit_identifier_reference(&mut self, id: &IdentifierReference<'a>) {
        if let Some((watched, is_used)) = &mut self.watched
            && let Some(reference) = id.reference_id.get()
        {
            *is_used |= self.scoping.get_reference(reference).symbol_id() == Some(*watched);
        }
        if let Some(alias) = self.alias_of(id) {
            let range = self.range(id.span);
            self.edits.replace(range, alias);
        }
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        if property.shorthand
            && let Expression::Identifier(id) = &property.value
        {
            if self.alias_of(id).is_some() {
                self.insert(id.span.start, format!("{}: ", id.name));
            }
            return self.visit_identifier_reference(id);
        }
        walk::walk_object_property(self, property);
    }

    fn visit_assignment_target_property_identifier(&mut self, property: &AssignmentTargetPropertyIdentifier<'a>) {
        let id = &property.binding;
        let is_alias = self.alias_of(id).is_some();
        if is_alias {
            self.insert(id.span.start, format!("{}: ", id.name));
        }
        self.visit_identifier_reference(id);
        if let Some(init) = &property.init {
            self.visit_named(is_alias.then_some(id.name.as_str()), init);
        }
    }

    fn visit_assignment_target_with_default(&mut self, target: &AssignmentTargetWithDefault<'a>) {
        self.visit_assignment_target(&target.binding);
        let name = self.name_of_target(&target.binding);
        self.visit_named(name.as_deref(), &target.init);
    }

    fn visit_assignment_expression(&mut self, expression: &AssignmentExpression<'a>) {
        self.visit_assignment_target(&expression.left);
        let infers = matches!(
            expression.operator,
            AssignmentOperator::Assign
                | AssignmentOperator::LogicalAnd
                | AssignmentOperator::LogicalOr
                | AssignmentOperator::LogicalNullish
        );
        let name = if infers { self.name_of_target(&expression.left) } else { None };
        self.visit_named(name.as_deref(), &expression.right);
    }
}

impl Rewriter<'_> {
    /// The name that was written for a target that has an alias.
    fn name_of_target(&self, target: &AssignmentTarget<'_>) -> Option<String> {
        match target {
            AssignmentTarget::AssignmentTargetIdentifier(id) => self.alias_of(id).map(|_| id.name.as_str().to_owned()),
            _ => None,
        }
    }
}
