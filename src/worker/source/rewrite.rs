//! The changes that let a text declare names again that earlier runs have declared.
//!
//! A declaration of a name that takes a new value becomes an assignment: `let x = 1` becomes `let {} = [x = 1]`, which evaluates
//! the same things in the same order, may stand in the middle of a list of declarators, and like every declaration leaves the
//! completion value alone. A declaration under another name, an alias, stays where it is and is renamed, with everything that
//! refers to it; functions and classes without a name of their own are wrapped so that they still infer the one that was written.

use std::collections::{HashMap, HashSet};

use oxc_ast::ast::{
    BindingIdentifier, BindingPattern, Class, Declaration, ExportDefaultDeclaration, ExportDefaultDeclarationKind,
    Expression, Function, IdentifierReference, ImportDeclaration, ImportDeclarationSpecifier, ModuleExportName,
    Statement, StringLiteral, VariableDeclarationKind, VariableDeclarator, WithClause,
};
use oxc_ast_visit::Visit;
use oxc_semantic::Scoping;
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;
use oxc_syntax::symbol::SymbolId;

use super::edits::Edits;
use super::names::Names;
use super::parse::{Body, Frame, Problem};
use super::repl::Again;

/// What the walk has met.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
    pub awaits: bool,
    pub returns: bool,
    /// A `return` is where a `catch` of the text could see what it throws.
    pub return_is_caught: bool,
}

pub struct Rewriter<'r> {
    source: &'r str,
    frame_start: u32,
    pub(super) scoping: &'r Scoping,
    pub(super) again: &'r HashMap<SymbolId, Again>,
    names: &'r Names,
    pub edits: Edits,
    pub found: Found,
    /// The text becomes a function's body, in which a `return` may stay.
    pub keeps_returns: bool,
    pub(super) functions: u32,
    pub(super) withs: u32,
    pub(super) catches: u32,
    /// Where identifiers begin that are taken care of.
    pub(super) done: HashSet<u32>,
    /// The class that is being walked through: inside, its name means its own constant.
    class: Option<SymbolId>,
    /// A function that is being looked through for uses of its own name, and whether there are any.
    pub(super) watched: Option<(SymbolId, bool)>,
    problem: Option<Problem>,
}

impl<'r> Rewriter<'r> {
    pub fn new(
        source: &'r str,
        frame: Frame,
        scoping: &'r Scoping,
        again: &'r HashMap<SymbolId, Again>,
        names: &'r Names,
    ) -> Rewriter<'r> {
        Rewriter {
            source,
            frame_start: u32::try_from(frame.start().len()).expect("a short constant"),
            scoping,
            again,
            names,
            edits: Edits::default(),
            found: Found::default(),
            keeps_returns: false,
            functions: 0,
            withs: 0,
            catches: 0,
            done: HashSet::new(),
            class: None,
            watched: None,
            problem: None,
        }
    }

    /// Walks through the text and collects what has to change.
    ///
    /// # Errors
    /// When there is something that only a module may have.
    pub fn run(&mut self, body: &Body<'_, '_>) -> Result<(), Problem> {
        if let Some(end) = body.directives_end() {
            self.edits.head_at = self.at(end);
        }
        for statement in body.statements() {
            self.top_level(statement);
        }
        match self.problem.take() {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }

    pub(super) fn at(&self, position: u32) -> usize {
        (position.saturating_sub(self.frame_start) as usize).min(self.source.len())
    }

    pub(super) fn range(&self, span: Span) -> std::ops::Range<usize> {
        self.at(span.start)..self.at(span.end)
    }

    fn text(&self, span: Span) -> &'r str {
        self.source.get(self.range(span)).unwrap_or_default()
    }

    pub(super) fn insert(&mut self, position: u32, text: impl Into<String>) {
        let at = self.at(position);
        self.edits.insert(at, text);
    }

    /// Something for the head, which stands between the directives and all other code.
    pub(super) fn insert_at_head(&mut self, text: impl Into<String>) {
        if !self.edits.has_head() && self.edits.head_at > 0 {
            // The last directive may have no semicolon.
            self.edits.insert_at_head(";");
        }
        self.edits.insert_at_head(text);
    }

    pub(super) fn again_of(&self, id: &BindingIdentifier<'_>) -> Option<&'r Again> {
        self.again_of_symbol(id.symbol_id.get()?)
    }

    fn again_of_symbol(&self, symbol: SymbolId) -> Option<&'r Again> {
        if self.class == Some(symbol) { None } else { self.again.get(&symbol) }
    }

    /// Whether the engine has yet to be told of this alias.
    fn is_fresh(&self, name: &str, again: &Again) -> bool {
        again.native != name && self.names.alias_of(name) != Some(again.native.as_str())
    }

    /// What the engine calls the global that an identifier refers to, where that is not what is written.
    pub(super) fn alias_of(&self, id: &IdentifierReference<'_>) -> Option<String> {
        if self.withs > 0 {
            return None;
        }
        let symbol = self.scoping.get_reference(id.reference_id.get()?).symbol_id();
        let native = match symbol {
            None => self.names.alias_of(id.name.as_str())?,
            Some(symbol) => self.again_of_symbol(symbol)?.native.as_str(),
        };
        (native != id.name.as_str()).then(|| native.to_owned())
    }

    fn top_level(&mut self, statement: &Statement<'_>) {
        match statement {
            Statement::FunctionDeclaration(function) => {
                if let Some(id) = &function.id
                    && let Some(again) = self.again_of(id)
                {
                    return self.function_again(function, id, again);
                }
            }
            Statement::ClassDeclaration(class) => {
                if let Some(id) = &class.id
                    && let Some(again) = self.again_of(id)
                {
                    return self.class_again(class, id, again);
                }
            }
            Statement::ImportDeclaration(import) => return self.import(import),
            // Nobody imports a console's text: what it exports is declared, evaluated or loaded like anything else in it.
            Statement::ExportDeclaration(export) => {
                let declaration = &export.declaration;
                let range = self.at(export.span.start)..self.at(declaration.span().start);
                self.edits.replace(range, "");
                return self.declaration(declaration);
            }
            Statement::ExportDefaultDeclaration(export) => return self.export_default(export),
            Statement::ExportNamedDeclaration(export) => {
                let range = self.range(export.span);
                return self.edits.replace(range, ";");
            }
            Statement::ExportFromDeclaration(export) => {
                return self.load(export.span, &export.source, export.with_clause.as_deref());
            }
            Statement::ExportAllDeclaration(export) => {
                return self.load(export.span, &export.source, export.with_clause.as_deref());
            }
            _ => {}
        }
        self.visit_statement(statement);
    }

    /// A declaration that was exported.
    fn declaration(&mut self, declaration: &Declaration<'_>) {
        match declaration {
            Declaration::FunctionDeclaration(function) => {
                match function.id.as_ref().map(|id| (id, self.again_of(id))) {
                    Some((id, Some(again))) => self.function_again(function, id, again),
                    _ => self.visit_function(function, ScopeFlags::Function),
                }
            }
            Declaration::ClassDeclaration(class) => match class.id.as_ref().map(|id| (id, self.again_of(id))) {
                Some((id, Some(again))) => self.class_again(class, id, again),
                _ => self.visit_class(class),
            },
            other => self.visit_declaration(other),
        }
    }

    /// What is exported as `default` is a value, and its name a declaration.
    fn export_default(&mut self, export: &ExportDefaultDeclaration<'_>) {
        let before = self.at(export.span.start)..self.at(export.declaration.span().start);
        let end = export.declaration.span().end;
        match &export.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(function) if let Some(id) = &function.id => {
                self.edits.replace(before, "");
                match self.again_of(id) {
                    Some(again) => self.function_again(function, id, again),
                    None => self.visit_function(function, ScopeFlags::Function),
                }
                let native = self.again_of(id).map_or(id.name.as_str(), |again| again.native.as_str());
                self.insert(end, format!(";{native};"));
            }
            ExportDefaultDeclarationKind::ClassDeclaration(class) if let Some(id) = &class.id => {
                self.edits.replace(before, "");
                match self.again_of(id) {
                    Some(again) => self.class_again(class, id, again),
                    None => self.visit_class(class),
                }
                let native = self.again_of(id).map_or(id.name.as_str(), |again| again.native.as_str());
                self.insert(end, format!(";{native};"));
            }
            other => {
                // Neither goes on with what stands before it, nor begins as a statement of another kind.
                self.edits.replace(before, ";(");
                self.visit_export_default_declaration_kind(other);
                self.insert(end, ")");
            }
        }
    }

    /// A module that is evaluated for what it does.
    fn load(&mut self, span: Span, source: &StringLiteral<'_>, with: Option<&WithClause<'_>>) {
        let wanted = self.wanted(source, with);
        let range = self.range(span);
        self.edits.replace(range, format!("const {{}} = {wanted};"));
    }

    /// A function moves to the head, where it is assigned before anything else runs.
    fn function_again(&mut self, function: &Function<'_>, id: &BindingIdentifier<'_>, again: &Again) {
        let name = id.name.as_str();
        if self.is_fresh(name, again) {
            self.insert_at_head(format!("let {};", again.native));
        }
        self.insert_at_head(format!("let {{}} = [{} = ", again.native));
        let is_alias = again.native != name;
        // A function expression sees its own name as a constant. One that uses its name must mean the variable instead, so it
        // goes without a name of its own and infers it.
        self.watched = id.symbol_id.get().map(|symbol| (symbol, false));
        self.done.insert(id.span.start);
        self.visit_function(function, ScopeFlags::Function);
        let uses_itself = self.watched.take().is_some_and(|(_, is_used)| is_used);
        if uses_itself {
            let at = self.range(id.span);
            self.edits.replace(at, "");
        }
        if uses_itself && is_alias {
            self.insert_at_head(wrap_start(name));
        }
        let range = self.range(function.span);
        self.edits.move_to_head(range);
        if uses_itself && is_alias {
            self.insert_at_head(wrap_end(name));
        }
        self.insert_at_head("];");
    }

    fn class_again(&mut self, class: &Class<'_>, id: &BindingIdentifier<'_>, again: &Again) {
        let (start, end) = if again.is_assigned {
            (format!("let {{}} = [{} = ", again.native), "];")
        } else {
            (format!("let {} = ", again.native), ";")
        };
        self.insert(class.span.start, start);
        self.done.insert(id.span.start);
        self.class = id.symbol_id.get();
        self.visit_class(class);
        self.class = None;
        self.insert(class.span.end, end);
    }

    /// `import x from "y"` becomes what can be said anywhere.
    fn import(&mut self, import: &ImportDeclaration<'_>) {
        let wanted = self.wanted(&import.source, import.with_clause.as_deref());
        let mut named = Vec::new();
        let mut whole = None;
        for specifier in import.specifiers.iter().flatten() {
            let local = specifier.local();
            let native = self.again_of(local).map_or(local.name.as_str(), |again| again.native.as_str());
            match specifier {
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => whole = Some(native.to_owned()),
                ImportDeclarationSpecifier::ImportDefaultSpecifier(_) => named.push(format!("default: {native}")),
                ImportDeclarationSpecifier::ImportSpecifier(one) => named.push(match &one.imported {
                    ModuleExportName::IdentifierName(name) => format!("{}: {native}", name.name),
                    ModuleExportName::IdentifierReference(name) => format!("{}: {native}", name.name),
                    ModuleExportName::StringLiteral(text) => format!("{}: {native}", self.text(text.span)),
                }),
            }
        }
        let named = named.join(", ");
        let text = match whole {
            Some(whole) => format!("const {whole} = {wanted}, {{{named}}} = {whole};"),
            None => format!("const {{{named}}} = {wanted};"),
        };
        let range = self.range(import.span);
        self.edits.replace(range, text);
    }

    /// The import of a module as it can be said anywhere.
    fn wanted(&mut self, source: &StringLiteral<'_>, with: Option<&WithClause<'_>>) -> String {
        self.found.awaits = true;
        let source = self.text(source.span).to_owned();
        let attributes = with.map(|with| {
            let clause = self.text(with.span);
            format!(", {{with: {}}}", clause.trim_start_matches(|c: char| c.is_alphabetic() || c.is_whitespace()))
        });
        format!("await import({source}{})", attributes.unwrap_or_default())
    }

    /// The names of a pattern that are bound natively, with what is to become of the others.
    pub(super) fn is_assigned_in(&self, pattern: &BindingPattern<'_>) -> bool {
        let mut found = false;
        for_each_name(pattern, &mut |id| found |= self.again_of(id).is_some_and(|again| again.is_assigned));
        found
    }

    /// The names of a pattern that have no binding yet.
    pub(super) fn unbound_in(&self, pattern: &BindingPattern<'_>) -> Vec<String> {
        let mut names = Vec::new();
        for_each_name(pattern, &mut |id| match self.again_of(id) {
            None => names.push(id.name.as_str().to_owned()),
            Some(again) if !again.is_assigned => names.push(again.native.clone()),
            Some(_) => {}
        });
        names
    }

    /// Aliases of `var`s are declared at the head.
    pub(super) fn declare_vars_at_head(&mut self, pattern: &BindingPattern<'_>) {
        let mut fresh = Vec::new();
        for_each_name(pattern, &mut |id| {
            if let Some(again) = self.again_of(id)
                && again.is_assigned
                && self.is_fresh(id.name.as_str(), again)
            {
                fresh.push(again.native.clone());
            }
        });
        for native in fresh {
            let declaration = format!("let {native};");
            if !self.edits.head_has(&declaration) {
                self.insert_at_head(declaration);
            }
        }
    }

    pub(super) fn declarator(&mut self, kind: VariableDeclarationKind, declarator: &VariableDeclarator<'_>) {
        let is_assigned = self.is_assigned_in(&declarator.id);
        if !is_assigned {
            self.visit_binding_pattern(&declarator.id);
            if let Some(init) = &declarator.init {
                self.visit_value(&declarator.id, init);
            }
            return;
        }
        self.declare_vars_at_head(&declarator.id);
        let mut start: String = self.unbound_in(&declarator.id).iter().map(|name| format!("{name}, ")).collect();
        start += "{} = [";
        match &declarator.init {
            Some(init) => {
                self.insert(declarator.span.start, start);
                self.visit_binding_pattern(&declarator.id);
                self.visit_value(&declarator.id, init);
                self.insert(declarator.span.end, "]");
            }
            // `var x;` leaves the value alone, `let x;` does not.
            None if kind == VariableDeclarationKind::Var => {
                let range = self.range(declarator.span);
                self.edits.replace(range, start + "]");
            }
            None => {
                self.insert(declarator.span.start, start);
                self.visit_binding_pattern(&declarator.id);
                self.insert(declarator.span.end, " = void 0]");
            }
        }
    }

    /// A value for a pattern: what has no name infers that of a renamed binding as it was written.
    pub(super) fn visit_value(&mut self, pattern: &BindingPattern<'_>, value: &Expression<'_>) {
        let name = match pattern {
            BindingPattern::BindingIdentifier(id) => {
                self.again_of(id).filter(|again| again.native != id.name.as_str()).map(|_| id.name.as_str().to_owned())
            }
            _ => None,
        };
        self.visit_named(name.as_deref(), value);
    }

    pub(super) fn visit_named(&mut self, name: Option<&str>, value: &Expression<'_>) {
        let wrapped = name.filter(|_| is_anonymous(value));
        if let Some(name) = wrapped {
            self.insert(value.span().start, wrap_start(name));
        }
        self.visit_expression(value);
        if let Some(name) = wrapped {
            self.insert(value.span().end, wrap_end(name));
        }
    }
}

/// Calls `each` for every name that a pattern binds.
fn for_each_name<'p, 'a>(pattern: &'p BindingPattern<'a>, each: &mut dyn FnMut(&'p BindingIdentifier<'a>)) {
    match pattern {
        BindingPattern::BindingIdentifier(id) => each(id),
        BindingPattern::AssignmentPattern(pattern) => for_each_name(&pattern.left, each),
        BindingPattern::ObjectPattern(pattern) => {
            for property in &pattern.properties {
                for_each_name(&property.value, each);
            }
            if let Some(rest) = &pattern.rest {
                for_each_name(&rest.argument, each);
            }
        }
        BindingPattern::ArrayPattern(pattern) => {
            for element in pattern.elements.iter().flatten() {
                for_each_name(element, each);
            }
            if let Some(rest) = &pattern.rest {
                for_each_name(&rest.argument, each);
            }
        }
    }
}

/// Whether a value gets its name from where it goes.
fn is_anonymous(value: &Expression<'_>) -> bool {
    match value {
        Expression::ArrowFunctionExpression(_) => true,
        Expression::FunctionExpression(function) => function.id.is_none(),
        Expression::ClassExpression(class) => class.id.is_none(),
        _ => false,
    }
}

/// What stands around a value so that it infers `name`. A key in brackets, because `__proto__` alone would mean something else.
fn wrap_start(name: &str) -> String {
    if name == "__proto__" { "{[\"__proto__\"]: ".into() } else { format!("{{{name}: ") }
}

fn wrap_end(name: &str) -> String {
    if name == "__proto__" { "}[\"__proto__\"]".into() } else { format!("}}.{name}") }
}
