//! Namespaces and enums of TypeScript as its own compiler makes them: functions that fill an object, of which an exported variable
//! is a property and no copy, and which later blocks of the same name go on filling.
//!
//! This happens to the text, before the types are taken out of it. [`spaces`](super::spaces) knows what belongs to what; here is
//! what stands in its place.

use std::collections::HashSet;
use std::ops::Range;

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    ArrowFunctionExpression, AssignmentTargetPropertyIdentifier, BindingIdentifier, BindingPattern, BindingProperty,
    Class, Declaration, ExportDeclaration, Expression, IdentifierReference, ObjectProperty, ReturnStatement, Statement,
    TSClassImplements, TSEnumDeclaration, TSImportEqualsDeclaration, TSInterfaceDeclaration, TSModuleReference,
    TSNamespaceDeclaration, TSNamespaceDeclarationBody, TSType, TSTypeAliasDeclaration, TSTypeAnnotation, TSTypeName,
    VariableDeclaration,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::Scoping;
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::{ScopeFlags, ScopeId};
use oxc_syntax::symbol::SymbolFlags;

use super::edits::{Edits, Rewritten};
use super::enums::Constants;
use super::parse::{self, Frame, Problem};
use super::spaces::{Spaces, is_instantiated};

/// Whether it is worth looking for namespaces and enums.
pub fn may_have(text: &str) -> bool {
    ["enum", "namespace", "module"].iter().any(|word| text.contains(word))
}

/// Takes the namespaces and enums out of a text; `None` where there are none. That it is well-formed otherwise is for others to
/// say.
///
/// # Errors
/// When one has something in it that cannot be compiled.
pub fn lower(text: &str, frame: Frame) -> Result<Option<Rewritten>, Problem> {
    let allocator = Allocator::default();
    // Values are moved with their parentheses.
    let program = parse::parse_with_parens(&allocator, text, frame)?;
    let scoping = parse::resolve(text, frame, &program)?;
    let spaces = Spaces::of(&program, &scoping);
    if spaces.is_empty() {
        return Ok(None);
    }
    let mut lowering = Lowering {
        source: text,
        frame_start: frame.start().len(),
        scoping: &scoping,
        constants: Constants::new(&spaces, &scoping),
        spaces: &spaces,
        edits: Edits::default(),
        problem: None,
        blocks: Vec::new(),
        functions: 0,
        exported: None,
        begun: HashSet::new(),
    };
    lowering.visit_program(&program);
    match lowering.problem {
        Some(problem) => Err(problem),
        None => Ok((!lowering.edits.is_empty()).then(|| lowering.edits.apply(text))),
    }
}

pub(super) struct Lowering<'s> {
    source: &'s str,
    frame_start: usize,
    scoping: &'s Scoping,
    pub(super) spaces: &'s Spaces,
    pub(super) constants: Constants<'s>,
    edits: Edits,
    problem: Option<Problem>,
    /// What the object is called in each of the namespaces around.
    pub(super) blocks: Vec<String>,
    /// Functions within the innermost namespace.
    functions: u32,
    /// Where the `export` stands before the declaration that comes next.
    pub(super) exported: Option<u32>,
    /// The names whose variable is there.
    begun: HashSet<(ScopeId, String)>,
}

impl<'a> Lowering<'_> {
    fn at(&self, position: u32) -> usize {
        (position as usize).saturating_sub(self.frame_start).min(self.source.len())
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.at(span.start)..self.at(span.end)
    }

    fn text(&self, span: Span) -> &str {
        self.source.get(self.range(span)).unwrap_or_default()
    }

    pub(super) fn replace(&mut self, start: u32, end: u32, text: impl Into<String>) {
        let range = self.at(start)..self.at(end);
        self.edits.replace(range, text);
    }

    pub(super) fn insert(&mut self, position: u32, text: impl Into<String>) {
        let at = self.at(position);
        self.edits.insert(at, text);
    }

    pub(super) fn refuse(&mut self, position: u32, message: &str) {
        let offset = self.at(position);
        self.problem.get_or_insert(Problem { message: message.into(), offset, is_at_end: false });
    }

    /// What stands before and behind the body of a namespace or an enum. Neither is an expression statement, so that both leave
    /// the completion value alone.
    pub(super) fn ends(&mut self, id: &BindingIdentifier<'a>, parameter: &str, is_exported: bool) -> (String, String) {
        let name = id.name.as_str();
        let Some(symbol) = id.symbol_id.get() else { return Default::default() };
        let scope = self.scoping.symbol_scope_id(symbol);
        let goes_on = self.scoping.symbol_flags(symbol).intersects(SymbolFlags::Function | SymbolFlags::Class);
        let is_first = self.begun.insert((scope, name.to_owned())) && !goes_on;
        let is_at_top = scope == self.scoping.root_scope_id();
        if let (true, Some(outer)) = (is_exported, self.blocks.last()) {
            let variable = if is_first { format!("let {name}; ") } else { ";".into() };
            return (
                format!("{variable}(function ({parameter}) {{"),
                format!("}})({name} = {outer}.{name} || ({outer}.{name} = {{}}));"),
            );
        }
        let start = match (is_first, is_at_top) {
            (true, true) => format!("{}var {name} = {{}}, ", if is_exported { "export " } else { "" }),
            (true, false) => format!("let {name} = {{}}, "),
            (false, _) => "let ".into(),
        };
        (format!("{start}{{}} = [(function ({parameter}) {{"), format!("}})({name})];"))
    }

    fn namespace(&mut self, namespace: &TSNamespaceDeclaration<'a>) {
        let exported = self.exported.take();
        let start = exported.unwrap_or(namespace.span.start);
        if namespace.declare || !is_instantiated(namespace) {
            // At the top level it is taken out with the types.
            if !self.blocks.is_empty() {
                self.replace(start, namespace.span.end, "");
            }
            return;
        }
        let functions = std::mem::take(&mut self.functions);
        let outer = self.blocks.len();
        let (mut open, mut close) = (String::new(), String::new());
        let (mut here, mut is_exported) = (namespace, exported.is_some());
        let block = loop {
            let parameter = here.scope_id.get().map_or_else(String::new, |scope| self.spaces.parameter(scope));
            let (before, behind) = self.ends(&here.id, &parameter, is_exported);
            open += &before;
            close = behind + &close;
            self.blocks.push(parameter);
            match &here.body {
                TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) => (here, is_exported) = (inner, true),
                TSNamespaceDeclarationBody::TSModuleBlock(block) => break block,
            }
        };
        self.replace(start, block.span.start + 1, open);
        for statement in &block.body {
            self.statement_of_namespace(statement);
        }
        self.replace(block.span.end - 1, block.span.end, close);
        self.blocks.truncate(outer);
        self.functions = functions;
    }

    fn statement_of_namespace(&mut self, statement: &Statement<'a>) {
        match statement {
            Statement::ImportDeclaration(_)
            | Statement::ExportAllDeclaration(_)
            | Statement::ExportDefaultDeclaration(_)
            | Statement::ExportNamedDeclaration(_)
            | Statement::ExportFromDeclaration(_)
            | Statement::TSExportAssignment(_)
            | Statement::TSNamespaceExportDeclaration(_) => {
                self.refuse(statement.span().start, "A namespace can only export declarations, and import nothing");
            }
            statement => self.visit_statement(statement),
        }
    }

    /// A declaration of a namespace's that is exported.
    fn export(&mut self, export: &ExportDeclaration<'a>, object: &str) {
        let declaration = &export.declaration;
        if declaration.declare() {
            return self.replace(export.span.start, export.span.end, "");
        }
        match declaration {
            Declaration::VariableDeclaration(variables) => self.export_variables(export, variables, object),
            Declaration::FunctionDeclaration(function) => {
                self.drop_keyword(export.span.start);
                self.visit_function(function, ScopeFlags::Function);
                if let (Some(id), true) = (&function.id, function.body.is_some()) {
                    self.insert(export.span.end, format!(" {object}.{0} = {0};", id.name));
                }
            }
            Declaration::ClassDeclaration(class) => {
                self.drop_keyword_of_class(export, class);
                self.visit_class(class);
                if let Some(id) = &class.id {
                    self.insert(class.span.end.max(export.span.end), format!(" {object}.{0} = {0};", id.name));
                }
            }
            Declaration::TSEnumDeclaration(_)
            | Declaration::TSNamespaceDeclaration(_)
            | Declaration::TSImportEqualsDeclaration(_) => {
                self.exported = Some(export.span.start);
                self.visit_declaration(declaration);
                self.exported = None;
            }
            Declaration::TSTypeAliasDeclaration(_) | Declaration::TSInterfaceDeclaration(_) => {
                self.drop_keyword(export.span.start);
            }
            Declaration::TSExternalModuleDeclaration(_) | Declaration::TSGlobalDeclaration(_) => {
                self.refuse(export.span.start, "A namespace cannot export this");
            }
        }
    }

    fn drop_keyword(&mut self, start: u32) {
        self.replace(start, start + "export".len() as u32, "");
    }

    /// Decorators may stand before the `export`.
    fn drop_keyword_of_class(&mut self, export: &ExportDeclaration<'a>, class: &Class<'a>) {
        let before = class.decorators.iter().map(|one| one.span.end).filter(|end| *end < class.body.span.start).max();
        let from = self.at(export.span.start);
        let start = if self.source[from..].starts_with("export") {
            export.span.start
        } else {
            let end = before.unwrap_or(export.span.start);
            let skipped = self.source[self.at(end)..].find("export").unwrap_or(0);
            end + u32::try_from(skipped).unwrap_or(0)
        };
        self.drop_keyword(start);
    }

    /// `export let a = 1, {b} = c` becomes assignments. What has no value yet has nothing to assign.
    fn export_variables(&mut self, export: &ExportDeclaration<'a>, variables: &VariableDeclaration<'a>, object: &str) {
        let mut end = export.span.start;
        for declarator in &variables.declarations {
            let Some(init) = &declarator.init else { continue };
            let is_pattern = !matches!(declarator.id, BindingPattern::BindingIdentifier(_));
            // What stands before may have no semicolon.
            self.replace(end, declarator.id.span().start, if is_pattern { ";(" } else { ";" });
            self.exported_pattern(&declarator.id, object);
            self.replace(declarator.id.span().end, init.span().start, " = ");
            self.visit_expression(init);
            self.constants.note_variable(variables.kind, declarator);
            if is_pattern {
                self.insert(init.span().end, ")");
            }
            end = init.span().end;
        }
        self.replace(end, export.span.end, ";");
    }

    fn exported_pattern(&mut self, pattern: &BindingPattern<'a>, object: &str) {
        match pattern {
            BindingPattern::BindingIdentifier(id) => {
                self.replace(id.span.start, id.span.end, format!("{object}.{}", id.name));
            }
            BindingPattern::AssignmentPattern(pattern) => {
                self.exported_pattern(&pattern.left, object);
                self.visit_expression(&pattern.right);
            }
            BindingPattern::ObjectPattern(pattern) => {
                for property in &pattern.properties {
                    self.exported_property(property, object);
                }
                if let Some(rest) = &pattern.rest {
                    self.exported_pattern(&rest.argument, object);
                }
            }
            BindingPattern::ArrayPattern(pattern) => {
                for element in pattern.elements.iter().flatten() {
                    self.exported_pattern(element, object);
                }
                if let Some(rest) = &pattern.rest {
                    self.exported_pattern(&rest.argument, object);
                }
            }
        }
    }

    fn exported_property(&mut self, property: &BindingProperty<'a>, object: &str) {
        if property.shorthand {
            let key = self.text(property.key.span()).to_owned();
            self.insert(property.key.span().start, format!("{key}: "));
        } else {
            self.visit_property_key(&property.key);
        }
        self.exported_pattern(&property.value, object);
    }

    /// `import q = a.b` within a namespace.
    fn alias(&mut self, import: &TSImportEqualsDeclaration<'a>, object: &str) {
        let exported = self.exported.take();
        let start = exported.unwrap_or(import.span.start);
        let root = match &import.module_reference {
            TSModuleReference::ExternalModuleReference(_) => {
                return self.refuse(import.span.start, "There is no 'require' here: a namespace can only import names");
            }
            TSModuleReference::IdentifierReference(id) => Some(&**id),
            TSModuleReference::QualifiedName(name) => root_of(&name.left),
        };
        let Some(root) = root.filter(|_| !import.import_kind.is_type()) else {
            return self.replace(start, import.span.end, "");
        };
        let is_used =
            import.id.symbol_id.get().is_some_and(|symbol| {
                self.scoping.get_resolved_references(symbol).any(oxc_semantic::Reference::is_value)
            });
        let path = self.text(import.module_reference.span()).to_owned();
        if !(is_used || exported.is_some() && self.spaces.is_value(&path, root, self.scoping)) {
            return self.replace(start, import.span.end, "");
        }
        let name = import.id.name.as_str();
        let target = if exported.is_some() { format!(";{object}.{name} = ") } else { format!("var {name} = ") };
        self.replace(start, import.module_reference.span().start, target);
        self.visit_identifier_reference(root);
        self.replace(import.module_reference.span().end, import.span.end, ";");
    }
}

impl<'a> Visit<'a> for Lowering<'_> {
    fn visit_identifier_reference(&mut self, id: &IdentifierReference<'a>) {
        if let Some(object) = self.spaces.object_of(id, self.scoping) {
            self.replace(id.span.start, id.span.end, format!("{object}.{}", id.name));
        }
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        if property.shorthand
            && let Expression::Identifier(id) = &property.value
        {
            if self.spaces.object_of(id, self.scoping).is_some() {
                self.insert(id.span.start, format!("{}: ", id.name));
            }
            return self.visit_identifier_reference(id);
        }
        walk::walk_object_property(self, property);
    }

    fn visit_assignment_target_property_identifier(&mut self, property: &AssignmentTargetPropertyIdentifier<'a>) {
        let id = &property.binding;
        if self.spaces.object_of(id, self.scoping).is_some() {
            self.insert(id.span.start, format!("{}: ", id.name));
        }
        walk::walk_assignment_target_property_identifier(self, property);
    }

    fn visit_export_declaration(&mut self, export: &ExportDeclaration<'a>) {
        if let Some(object) = self.blocks.last().cloned() {
            return self.export(export, &object);
        }
        self.exported = Some(export.span.start);
        walk::walk_export_declaration(self, export);
        self.exported = None;
    }

    fn visit_ts_namespace_declaration(&mut self, namespace: &TSNamespaceDeclaration<'a>) {
        self.namespace(namespace);
    }

    fn visit_ts_enum_declaration(&mut self, declaration: &TSEnumDeclaration<'a>) {
        self.enumeration(declaration);
    }

    fn visit_ts_import_equals_declaration(&mut self, import: &TSImportEqualsDeclaration<'a>) {
        if let Some(object) = self.blocks.last().cloned() {
            self.alias(import, &object);
        }
    }

    fn visit_variable_declaration(&mut self, variables: &VariableDeclaration<'a>) {
        self.exported = None;
        walk::walk_variable_declaration(self, variables);
        for declarator in &variables.declarations {
            self.constants.note_variable(variables.kind, declarator);
        }
    }

    fn visit_function(&mut self, function: &oxc_ast::ast::Function<'a>, flags: ScopeFlags) {
        self.exported = None;
        self.functions += 1;
        walk::walk_function(self, function, flags);
        self.functions -= 1;
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        self.functions += 1;
        walk::walk_arrow_function_expression(self, function);
        self.functions -= 1;
    }

    fn visit_class(&mut self, class: &Class<'a>) {
        self.exported = None;
        walk::walk_class(self, class);
    }

    fn visit_return_statement(&mut self, statement: &ReturnStatement<'a>) {
        if !self.blocks.is_empty() && self.functions == 0 {
            self.refuse(statement.span.start, "A namespace cannot return");
        }
        walk::walk_return_statement(self, statement);
    }

    // Types mean nothing here.

    fn visit_ts_type(&mut self, _: &TSType<'a>) {}

    fn visit_ts_type_annotation(&mut self, _: &TSTypeAnnotation<'a>) {}

    fn visit_ts_type_alias_declaration(&mut self, _: &TSTypeAliasDeclaration<'a>) {}

    fn visit_ts_interface_declaration(&mut self, _: &TSInterfaceDeclaration<'a>) {}

    fn visit_ts_class_implements(&mut self, _: &TSClassImplements<'a>) {}
}

/// The first name of a qualified one.
fn root_of<'p, 'a>(name: &'p TSTypeName<'a>) -> Option<&'p IdentifierReference<'a>> {
    match name {
        TSTypeName::IdentifierReference(id) => Some(id),
        TSTypeName::QualifiedName(name) => root_of(&name.left),
        TSTypeName::ThisExpression(_) => None,
    }
}
