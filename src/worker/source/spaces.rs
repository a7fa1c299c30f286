//! What belongs to which namespace or enum of a text: the blocks of the same one, what they export, and what a name in them means.

use std::collections::{HashMap, HashSet};

use oxc_ast::ast::{
    ArrowFunctionExpression, BindingIdentifier, Declaration, ExportDeclaration, Function, IdentifierReference, Program,
    Statement, TSEnumDeclaration, TSNamespaceDeclaration, TSNamespaceDeclarationBody, VariableDeclaration,
};
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::Scoping;
use oxc_span::Span;
use oxc_syntax::scope::{ScopeFlags, ScopeId};
use oxc_syntax::symbol::{SymbolFlags, SymbolId};

use super::enums;

/// A namespace or an enum, with all its blocks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Space(usize);

/// Where a namespace or an enum is at home.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Home {
    Scope(ScopeId),
    /// It is exported by another.
    Space(Space),
}

/// What one exports. Enums see only the members, namespaces only the rest, even of the same name.
#[derive(Debug, Default)]
struct Exports {
    members: HashSet<String>,
    others: HashSet<String>,
}

/// One block of a namespace, or one declaration of an enum.
#[derive(Debug, Default)]
struct Block {
    space: Space,
    /// What its object is called within it.
    parameter: String,
    /// What has no name of its own in it, but only as a property of its object.
    properties: HashSet<String>,
    /// Nothing in it is more than a type.
    is_ambient: bool,
    is_enum: bool,
}

impl Exports {
    fn of_kind(&mut self, is_enum: bool) -> &mut HashSet<String> {
        if is_enum { &mut self.members } else { &mut self.others }
    }

    fn have(&self, name: &str) -> bool {
        self.members.contains(name) || self.others.contains(name)
    }
}

/// All namespaces and enums of a text.
#[derive(Debug, Default)]
pub struct Spaces {
    known: HashMap<(Home, String), Space>,
    /// The values that each of them exports, in any of its blocks.
    exports: Vec<Exports>,
    blocks: HashMap<ScopeId, Block>,
    /// Where the parameters of each function end: they do not see what its body declares.
    parameters: HashMap<ScopeId, u32>,
    /// Some of them has to be compiled.
    has_any: bool,
}

impl Spaces {
    pub fn of(program: &Program<'_>, scoping: &Scoping) -> Spaces {
        let mut collector = Collector::new(scoping);
        collector.visit_program(program);
        collector.spaces
    }

    /// Whether there is nothing to be compiled.
    pub fn is_empty(&self) -> bool {
        !self.has_any
    }

    /// What the object is called within a block.
    pub fn parameter(&self, scope: ScopeId) -> String {
        self.blocks.get(&scope).map_or_else(String::new, |block| block.parameter.clone())
    }

    /// The namespace or enum that a block is one of.
    pub fn space(&self, scope: ScopeId) -> Option<Space> {
        self.blocks.get(&scope).map(|block| block.space)
    }

    /// The object that a name is a property of: that of the innermost namespace or enum around that has it.
    pub fn object_of(&self, id: &IdentifierReference<'_>, scoping: &Scoping) -> Option<&str> {
        self.owner_of(id, scoping).map(|(_, parameter)| parameter)
    }

    /// The same, with what it is the object of.
    pub fn owner_of(&self, id: &IdentifierReference<'_>, scoping: &Scoping) -> Option<(Space, &str)> {
        let reference = scoping.get_reference(id.reference_id.get()?);
        if !reference.is_value() {
            return None;
        }
        for scope in scoping.scope_ancestors(reference.scope_id()) {
            let hides =
                |symbol: &SymbolId| is_value(scoping, *symbol) && self.sees(scope, id, scoping.symbol_span(*symbol));
            let binding = scoping.get_binding(scope, id.name).filter(hides);
            match (self.blocks.get(&scope), binding) {
                (None, None) => {}
                (None, Some(_)) => return None,
                (Some(block), Some(_)) => {
                    let is_property = block.properties.contains(id.name.as_str());
                    return is_property.then_some((block.space, &block.parameter));
                }
                (Some(block), None) => {
                    let exports = &self.exports[block.space.0];
                    let seen = if block.is_enum { &exports.members } else { &exports.others };
                    if seen.contains(id.name.as_str()) {
                        return Some((block.space, &block.parameter));
                    }
                }
            }
        }
        None
    }

    /// Whether a name that stands somewhere in a scope can mean what that scope declares there.
    fn sees(&self, scope: ScopeId, id: &IdentifierReference<'_>, declared: Span) -> bool {
        self.parameters.get(&scope).is_none_or(|end| id.span.start >= *end || declared.start < *end)
    }

    /// The namespace or enum that a name means where it stands.
    pub fn named(&self, id: &IdentifierReference<'_>, scoping: &Scoping) -> Option<Space> {
        let scope = scoping.get_reference(id.reference_id.get()?).scope_id();
        let name = id.name.as_str();
        scoping.scope_ancestors(scope).find_map(|scope| {
            let here = self.known.get(&(Home::Scope(scope), name.to_owned()));
            here.or_else(|| self.known.get(&(Home::Space(self.space(scope)?), name.to_owned()))).copied()
        })
    }

    /// Whether what a path such as `a.b.c` leads to is more than a type, as far as can be told.
    pub fn is_value(&self, path: &str, root: &IdentifierReference<'_>, scoping: &Scoping) -> bool {
        let Some(mut space) = self.named(root, scoping) else { return true };
        for part in path.split('.').map(str::trim).skip(1) {
            if !self.exports[space.0].have(part) {
                return false;
            }
            match self.known.get(&(Home::Space(space), part.to_owned())) {
                Some(inner) => space = *inner,
                None => return true,
            }
        }
        let exports = &self.exports[space.0];
        !(exports.members.is_empty() && exports.others.is_empty())
    }
}

fn is_value(scoping: &Scoping, symbol: SymbolId) -> bool {
    scoping.symbol_flags(symbol).intersects(SymbolFlags::Value | SymbolFlags::Import)
}

/// Whether there is more than types in a namespace.
pub fn is_instantiated(namespace: &TSNamespaceDeclaration<'_>) -> bool {
    match &namespace.body {
        TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) => is_instantiated(inner),
        TSNamespaceDeclarationBody::TSModuleBlock(block) => block.body.iter().any(|statement| match statement {
            Statement::TSInterfaceDeclaration(_)
            | Statement::TSTypeAliasDeclaration(_)
            | Statement::TSImportEqualsDeclaration(_) => false,
            Statement::TSNamespaceDeclaration(inner) => is_instantiated(inner),
            Statement::ExportDeclaration(export) => match &export.declaration {
                Declaration::TSInterfaceDeclaration(_) | Declaration::TSTypeAliasDeclaration(_) => false,
                Declaration::TSNamespaceDeclaration(inner) => is_instantiated(inner),
                _ => true,
            },
            _ => true,
        }),
    }
}

/// Finds them all.
struct Collector<'s> {
    scoping: &'s Scoping,
    spaces: Spaces,
    /// The names of namespaces and enums that mean something else within a scope.
    taken: HashSet<(&'s str, ScopeId)>,
    /// All names of the text.
    names: HashSet<&'s str>,
    /// The blocks around, outermost first.
    around: Vec<ScopeId>,
    /// The declaration that comes next is exported.
    is_exported: bool,
}

impl<'s> Collector<'s> {
    fn new(scoping: &'s Scoping) -> Collector<'s> {
        let of_spaces = SymbolFlags::Namespace | SymbolFlags::Enum;
        let wanted: HashSet<&str> = scoping
            .symbol_ids()
            .filter(|symbol| scoping.symbol_flags(*symbol).intersects(of_spaces))
            .map(|symbol| scoping.symbol_name(symbol))
            .collect();
        let taken = scoping
            .symbol_ids()
            .filter(|symbol| wanted.contains(scoping.symbol_name(*symbol)))
            .flat_map(|symbol| {
                let scopes = scoping.scope_ancestors(scoping.symbol_scope_id(symbol));
                scopes.map(move |scope| (scoping.symbol_name(symbol), scope))
            })
            .collect();
        let unresolved = scoping.root_unresolved_references().keys().map(|name| name.as_str());
        let names = scoping.symbol_names().chain(unresolved).collect();
        Collector { scoping, spaces: Spaces::default(), taken, names, around: Vec::new(), is_exported: false }
    }

    /// Begins a block of a namespace or an enum.
    fn begin(&mut self, id: &BindingIdentifier<'_>, scope: ScopeId, mut block: Block, is_exported: bool) {
        let Some(symbol) = id.symbol_id.get() else { return };
        let name = id.name.as_str();
        let outer = self.around.last().and_then(|scope| self.spaces.blocks.get(scope));
        block.is_ambient |= outer.is_some_and(|outer| outer.is_ambient);
        let outer = outer.map(|outer| outer.space).filter(|_| is_exported || block.is_ambient);
        let home = outer.map_or_else(|| Home::Scope(self.scoping.symbol_scope_id(symbol)), Home::Space);
        let next = Space(self.spaces.exports.len());
        block.space = *self.spaces.known.entry((home, name.to_owned())).or_insert(next);
        if block.space == next {
            self.spaces.exports.push(Exports::default());
        }
        block.parameter = self.parameter(name, scope);
        self.spaces.has_any |= !block.is_ambient;
        self.spaces.blocks.insert(scope, block);
        self.around.push(scope);
    }

    /// A name for the object that means nothing else in the block: its own, if that is possible.
    fn parameter(&self, name: &str, scope: ScopeId) -> String {
        if !self.taken.contains(&(name, scope)) {
            return name.to_owned();
        }
        let free = (1..).map(|number| format!("{name}_{number}")).find(|wanted| !self.names.contains(wanted.as_str()));
        free.expect("numbers do not end")
    }

    /// Notes what the innermost block exports.
    fn export(&mut self, name: &str, is_property: bool) {
        let Some(block) = self.around.last().and_then(|scope| self.spaces.blocks.get_mut(scope)) else { return };
        if is_property {
            block.properties.insert(name.to_owned());
        }
        self.spaces.exports[block.space.0].of_kind(block.is_enum).insert(name.to_owned());
    }

    fn export_variables(&mut self, variables: &VariableDeclaration<'_>) {
        for declarator in &variables.declarations {
            for id in declarator.id.get_binding_identifiers() {
                self.export(id.name.as_str(), true);
            }
        }
    }

    fn exported_declaration(&mut self, declaration: &Declaration<'_>) {
        match declaration {
            Declaration::VariableDeclaration(variables) => self.export_variables(variables),
            Declaration::FunctionDeclaration(function) => {
                let name = function.id.as_ref().map(|id| id.name.as_str());
                name.into_iter().for_each(|name| self.export(name, false));
            }
            Declaration::ClassDeclaration(class) => {
                let name = class.id.as_ref().map(|id| id.name.as_str());
                name.into_iter().for_each(|name| self.export(name, false));
            }
            Declaration::TSEnumDeclaration(one) => self.export(one.id.name.as_str(), false),
            Declaration::TSNamespaceDeclaration(one) if is_instantiated(one) => {
                self.export(one.id.name.as_str(), false);
            }
            Declaration::TSImportEqualsDeclaration(one) => self.export(one.id.name.as_str(), true),
            _ => {}
        }
    }
}

impl<'a> Visit<'a> for Collector<'_> {
    fn visit_export_declaration(&mut self, export: &ExportDeclaration<'a>) {
        if !self.around.is_empty() {
            self.exported_declaration(&export.declaration);
        }
        self.is_exported = true;
        walk::walk_export_declaration(self, export);
        self.is_exported = false;
    }

    fn visit_ts_namespace_declaration(&mut self, namespace: &TSNamespaceDeclaration<'a>) {
        let is_exported = std::mem::take(&mut self.is_exported);
        let Some(scope) = namespace.scope_id.get() else { return };
        let is_ambient = namespace.declare || !is_instantiated(namespace);
        self.begin(&namespace.id, scope, Block { is_ambient, ..Block::default() }, is_exported);
        match &namespace.body {
            TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) => {
                if is_instantiated(inner) {
                    self.export(inner.id.name.as_str(), false);
                }
                self.is_exported = true;
                self.visit_ts_namespace_declaration(inner);
                self.is_exported = false;
            }
            TSNamespaceDeclarationBody::TSModuleBlock(block) => {
                for statement in &block.body {
                    // All that is declared in a namespace which is only declared itself is exported.
                    if namespace.declare
                        && let Some(declaration) = statement.as_declaration()
                    {
                        self.exported_declaration(declaration);
                    }
                    self.visit_statement(statement);
                }
            }
        }
        self.around.pop();
    }

    fn visit_ts_enum_declaration(&mut self, declaration: &TSEnumDeclaration<'a>) {
        let is_exported = std::mem::take(&mut self.is_exported);
        let Some(scope) = declaration.body.scope_id.get() else { return };
        let block = Block { is_enum: true, is_ambient: declaration.declare, ..Block::default() };
        self.begin(&declaration.id, scope, block, is_exported);
        for member in &declaration.body.members {
            self.export(&enums::name_of(member), true);
        }
        walk::walk_ts_enum_body(self, &declaration.body);
        self.around.pop();
    }

    fn visit_function(&mut self, function: &Function<'a>, flags: ScopeFlags) {
        if let Some(scope) = function.scope_id.get() {
            self.spaces.parameters.insert(scope, function.params.span.end);
        }
        walk::walk_function(self, function, flags);
    }

    fn visit_arrow_function_expression(&mut self, function: &ArrowFunctionExpression<'a>) {
        if let Some(scope) = function.scope_id.get() {
            self.spaces.parameters.insert(scope, function.params.span.end);
        }
        walk::walk_arrow_function_expression(self, function);
    }

    fn visit_variable_declaration(&mut self, variables: &VariableDeclaration<'a>) {
        self.is_exported = false;
        walk::walk_variable_declaration(self, variables);
    }
}
