//! What belongs to a class and runs outside of its functions: its base, its computed keys, the decorators of its elements.

use oxc_ast::ast::{ArrowFunctionExpression, AwaitExpression, Class, ClassElement, Function, YieldExpression};
use oxc_ast_visit::{Visit, walk};
use oxc_syntax::scope::ScopeFlags;

/// Whether there is an `await` or a `yield` that belongs to the function around.
#[derive(Debug, Default)]
pub struct Outside {
    pub awaits: bool,
    pub yields: Option<u32>,
}

impl Outside {
    pub fn look(&mut self, class: &Class<'_>) {
        if let Some(heritage) = &class.heritage {
            self.visit_class_heritage(heritage);
        }
        for element in &class.body.body {
            let (decorators, key) = match element {
                ClassElement::MethodDefinition(one) => (&one.decorators, &one.key),
                ClassElement::PropertyDefinition(one) => (&one.decorators, &one.key),
                ClassElement::AccessorProperty(one) => (&one.decorators, &one.key),
                ClassElement::StaticBlock(_) | ClassElement::TSIndexSignature(_) => continue,
            };
            for decorator in decorators {
                self.visit_decorator(decorator);
            }
            self.visit_property_key(key);
        }
    }
}

impl<'a> Visit<'a> for Outside {
    fn visit_await_expression(&mut self, expression: &AwaitExpression<'a>) {
        self.awaits = true;
        walk::walk_await_expression(self, expression);
    }

    fn visit_yield_expression(&mut self, expression: &YieldExpression<'a>) {
        self.yields.get_or_insert(expression.span.start);
        walk::walk_yield_expression(self, expression);
    }

    fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}

    fn visit_arrow_function_expression(&mut self, _: &ArrowFunctionExpression<'a>) {}

    fn visit_class(&mut self, class: &Class<'a>) {
        for decorator in &class.decorators {
            self.visit_decorator(decorator);
        }
        self.look(class);
    }
}
