//! Decorators and `accessor` fields, which the engine does not know: classes that have them become plain ones.
//!
//! The class stays in its place. Its decorators are evaluated where the standard says, those of an element inside of its key,
//! which is therefore a computed one; that is the one place in a class where code runs in order, with the `this`, the `await` and
//! the private names of a decorator. A static block at the begin then applies them all. A class that has decorators of its own
//! may be replaced by them, so its static fields and blocks have to wait: they become methods, which are called when its name
//! means what its decorators have left.
//!
//! The functions that do this are in `decorators.js`, under a constant of the global scope that no property leads to. It is there
//! from the first text on that needs it, so that others pay nothing.

use std::collections::HashMap;
use std::ops::Range;

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    AccessorProperty, AssignmentExpression, AssignmentPattern, AssignmentTarget, AssignmentTargetPropertyIdentifier,
    AssignmentTargetWithDefault, BindingPattern, Class, ClassElement, Decorator, ExportDeclaration,
    ExportDefaultDeclaration, ExportDefaultDeclarationKind, Expression, FormalParameter, MethodDefinition,
    MethodDefinitionKind, ObjectProperty, PropertyDefinition, PropertyKey, StaticBlock, VariableDeclarator,
};
use oxc_ast::ast::{Declaration, PropertyKind};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};

use super::edits::{Edits, Rewritten};
use super::outside::Outside;
use super::parse::{self, Frame, Problem};

/// The constant that holds the functions. A character without width keeps it from meeting a name of the user's.
pub const HELPER: &str = "decorators\u{200c}";

/// What the engine calls the file with them, which no stack shows.
pub const HELPER_FILE: &str = "runpen-decorators";

pub const HELPER_SOURCE: &str = include_str!("decorators.js");

/// The object that defines one class.
const D: &str = "define\u{200c}";

/// What an anonymous class is called that is exported as `default`.
const DEFAULT: &str = "default\u{200c}";

/// Whether it is worth looking for decorators.
pub fn may_have(text: &str) -> bool {
    text.contains('@') || text.contains("accessor")
}

/// Takes the decorators out of a text; `None` where there are none. The frames are what it may be; where it is none of them, that
/// is for others to say.
///
/// # Errors
/// When it has decorators, and something that is wrong or cannot be compiled.
pub fn lower(text: &str, frames: &[Frame]) -> Result<Option<Rewritten>, Problem> {
    let without_hashbang = text.starts_with("#!").then(|| ["//", &text[2..]].concat());
    let source = without_hashbang.as_deref().unwrap_or(text);
    let mut problem = None;
    for &frame in frames {
        let allocator = Allocator::default();
        let Ok(program) = parse::parse_with_parens(&allocator, source, frame) else { continue };
        let mut lowering = Lowering::new(source, frame);
        lowering.visit_program(&program);
        if !lowering.has_found {
            return Ok(None);
        }
        match parse::resolve(source, frame, &program) {
            Ok(_) => {
                return lowering.problem.take().map_or_else(|| Ok(Some(lowering.edits.apply(source))), Err);
            }
            Err(found) => problem = problem.or(Some(found).filter(|_| !frame.is_object())),
        }
    }
    problem.map_or(Ok(None), Err)
}

struct Lowering<'s> {
    source: &'s str,
    frame_start: usize,
    edits: Edits,
    has_found: bool,
    problem: Option<Problem>,
    /// The names that anonymous classes get from where they stand, by where they begin. `None`: from a key that is computed.
    inferred: HashMap<u32, Option<String>>,
    /// Where a declaration begins that is exported, and whether as `default`, by where its class begins.
    exported: HashMap<u32, (u32, bool)>,
}

/// A class on its way through.
struct Current {
    /// It has decorators of its own.
    is_decorated: bool,
    /// Elements that the helper knows of.
    elements: usize,
    has_static_privates: bool,
}

impl<'s> Lowering<'s> {
    fn new(source: &'s str, frame: Frame) -> Lowering<'s> {
        Lowering {
            source,
            frame_start: frame.start().len(),
            edits: Edits::default(),
            has_found: false,
            problem: None,
            inferred: HashMap::new(),
            exported: HashMap::new(),
        }
    }

    fn at(&self, position: u32) -> usize {
        (position as usize).saturating_sub(self.frame_start).min(self.source.len())
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.at(span.start)..self.at(span.end)
    }

    fn refuse(&mut self, position: u32, message: &str) {
        let offset = self.at(position);
        self.problem.get_or_insert(Problem { message: message.into(), offset, is_at_end: false });
    }

    /// The next byte that is neither space nor comment.
    fn skip(&self, mut at: usize) -> usize {
        loop {
            let rest = &self.source[at..];
            let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            at += rest.len() - trimmed.len();
            let comment = if trimmed.starts_with("//") {
                trimmed.find(['\n', '\r', '\u{2028}', '\u{2029}'])
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map(|end| end + 2)
            } else {
                return at;
            };
            at += comment.unwrap_or(trimmed.len());
        }
    }

    /// The words from a place up to a word or another token, without decorators.
    fn words(&self, mut at: usize, decorators: &[Decorator<'_>], last: &str) -> Vec<Range<usize>> {
        let mut words = Vec::new();
        let mut decorators = decorators.iter().peekable();
        loop {
            at = self.skip(at);
            // They stand in the order of the text.
            while decorators.next_if(|decorator| self.at(decorator.span.start) < at).is_some() {}
            if let Some(decorator) = decorators.next_if(|decorator| self.at(decorator.span.start) == at) {
                at = self.at(decorator.span.end);
                continue;
            }
            let rest = &self.source[at..];
            let length = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            if length == 0 {
                return words;
            }
            words.push(at..at + length);
            if &rest[..length] == last {
                return words;
            }
            at += length;
        }
    }

    /// Takes decorators from their places. What goes before them there must have been inserted already.
    fn cut(&mut self, decorators: &[Decorator<'_>]) {
        for decorator in decorators {
            let range = self.range(decorator.span);
            self.edits.replace(range, "");
        }
    }

    fn cut_and_visit<'a>(&mut self, decorators: &[Decorator<'a>]) {
        self.cut(decorators);
        for decorator in decorators {
            self.visit_decorator(decorator);
        }
    }

    /// Writes decorators as an array of pairs: the function, and the object that it is a method of.
    fn write(&mut self, at: usize, decorators: &[Decorator<'_>]) {
        self.edits.insert(at, "[");
        for decorator in decorators {
            let (object, key) = match decorator.expression.get_inner_expression() {
                Expression::StaticMemberExpression(member) => {
                    (&member.object, Key::Name(member.property.name.as_str().to_owned()))
                }
                Expression::ComputedMemberExpression(member) => {
                    let rest = self.at(member.object.span().end)..self.at(member.span.end);
                    (&member.object, Key::Text(rest))
                }
                Expression::PrivateFieldExpression(member) => {
                    (&member.object, Key::Private(member.field.name.as_str().to_owned()))
                }
                other => (other, Key::None),
            };
            let is_super = matches!(object, Expression::Super(_));
            if matches!(key, Key::None) || is_super {
                self.edits.insert(at, "[");
                let range = self.range(decorator.expression.span());
                self.edits.insert_copy(at, range);
                self.edits.insert(at, if is_super { ", this], " } else { "], " });
                continue;
            }
            let is_private = matches!(key, Key::Private(_));
            self.edits.insert(at, format!("{HELPER}.{}(", if is_private { "p" } else { "o" }));
            let range = self.range(object.span());
            self.edits.insert_copy(at, range);
            match key {
                Key::Name(name) => self.edits.insert(at, format!(", [{}]), ", quoted(&name))),
                Key::Private(name) => self.edits.insert(at, format!(", o => o.#{name}), ")),
                Key::Text(range) => {
                    self.edits.insert(at, ", ");
                    self.edits.insert_copy(at, range);
                    self.edits.insert(at, "), ");
                }
                Key::None => {}
            }
        }
        self.edits.insert(at, "]");
    }

    fn class(&mut self, class: &Class<'_>) {
        self.has_found = true;
        let mut outside = Outside::default();
        outside.look(class);
        if let Some(position) = outside.yields {
            self.refuse(
                position,
                "'yield' in the decorators, the keys or the base of a class with decorators is not supported",
            );
        }
        let mut current =
            Current { is_decorated: !class.decorators.is_empty(), elements: 0, has_static_privates: false };
        let name = match (&class.id, self.inferred.get(&class.span.start)) {
            (Some(id), _) => Some(id.name.as_str().to_owned()),
            (None, Some(Some(name))) => Some(name.clone()),
            (None, Some(None)) => {
                self.refuse(class.span.start, "A class with decorators whose key is computed needs a name of its own");
                None
            }
            (None, None) => None,
        };
        let name = name.as_deref();
        self.head(class, name, outside.awaits, current.is_decorated);
        if let Some(heritage) = &class.heritage {
            self.visit_class_heritage(heritage);
        }
        for decorator in &class.decorators {
            self.visit_decorator(decorator);
        }
        let inside = self.at(class.body.span.start) + 1;
        if !current.is_decorated {
            self.edits.insert(inside, format!(" static {{ {D}.a(this); }}"));
        }
        let has_methods = class.body.body.iter().any(
            |element| matches!(element, ClassElement::MethodDefinition(one) if !one.r#static && !one.decorators.is_empty()),
        );
        if has_methods {
            self.edits.insert(inside, format!(" #extras\u{200c} = {D}.e(this);"));
        }
        for element in &class.body.body {
            self.element(element, &mut current);
        }
        self.tail(class, name, &current);
    }

    fn head(&mut self, class: &Class<'_>, name: Option<&str>, awaits: bool, is_decorated: bool) {
        let exported = self.exported.get(&class.span.start).copied();
        let mut first = self.at(class.span.start);
        first = class.decorators.iter().map(|one| self.at(one.span.start)).fold(first, usize::min);
        first = exported.map_or(first, |(start, _)| first.min(self.at(start)));
        let mut words = self.words(first, &class.decorators, "class");
        let keyword = words.pop().unwrap_or(first..first);
        if class.is_declaration() {
            let local = class.id.as_ref().map_or(DEFAULT, |id| id.name.as_str());
            match exported {
                Some((_, true)) => self.edits.insert(first, format!("export {{{local} as default}}; ")),
                Some((_, false)) => self.edits.insert(first, format!("export {{{local}}}; ")),
                None => {}
            }
            self.edits.insert(first, format!("let {local} = "));
            for word in words {
                self.edits.replace(word, "");
            }
        }
        self.cut(&class.decorators);
        let at = keyword.start;
        let (wait, kind) = if awaits { ("await ", "async ") } else { ("", "") };
        self.edits.insert(at, format!("({wait}{HELPER}("));
        self.write(at, &class.decorators);
        self.edits.insert(at, format!(", {kind}{D} => "));
        let named = name.map(|name| format!("{{[{}]: ", quoted(name)));
        let text = match (&class.id, is_decorated, named) {
            (Some(id), true, named) => {
                let range = self.range(id.span);
                self.edits.replace(range, "");
                format!("{{ const {} = {D}.a({}", id.name, named.unwrap_or_default())
            }
            (None, true, named) => format!("({D}.a({}", named.unwrap_or_default()),
            (None, false, Some(named)) => format!("({named}"),
            (_, false, _) => String::new(),
        };
        // Not just an insertion: what replaces the word belongs to the class, even where the class begins with it.
        self.edits.replace(keyword, text + "class");
    }

    fn tail(&mut self, class: &Class<'_>, name: Option<&str>, current: &Current) {
        let end = self.at(class.span.end);
        let get = name.map(|name| format!("}}[{}]", quoted(name))).unwrap_or_default();
        let privates = u8::from(current.has_static_privates);
        let mut text = match (&class.id, current.is_decorated) {
            (Some(_), true) => format!("}}{get}, {privates}); return {D}.r(); }}))"),
            (None, true) => format!("}}{get}, {privates}), {D}.r())))"),
            (None, false) if name.is_some() => format!("}}{})))", get),
            (_, false) => "}))".into(),
        };
        if class.is_declaration() {
            text.push(';');
        }
        self.edits.replace(end - 1..end, text);
    }

    fn element(&mut self, element: &ClassElement<'_>, current: &mut Current) {
        let decorators = match element {
            ClassElement::MethodDefinition(method) if !method.decorators.is_empty() => &method.decorators,
            ClassElement::PropertyDefinition(field)
                if !field.decorators.is_empty() || (current.is_decorated && field.r#static) =>
            {
                &field.decorators
            }
            ClassElement::AccessorProperty(accessor) => &accessor.decorators,
            ClassElement::StaticBlock(block) if current.is_decorated => return self.block(block),
            other => return walk::walk_class_element(self, other),
        };
        let start = self.at(element.span().start);
        let first = decorators.iter().map(|one| self.at(one.span.start)).fold(start, usize::min);
        // A key in brackets would go on with the field before it, if that has no semicolon.
        self.edits.insert(first, ";");
        match element {
            ClassElement::MethodDefinition(method) => self.method(method, current),
            ClassElement::PropertyDefinition(field) => self.field(field, first, current),
            ClassElement::AccessorProperty(accessor) => self.accessor(accessor, first, current),
            ClassElement::StaticBlock(_) | ClassElement::TSIndexSignature(_) => {}
        }
    }

    fn block(&mut self, block: &StaticBlock<'_>) {
        let start = self.at(block.span.start);
        self.edits.replace(start..start + "static".len(), format!("static [{D}.b()]()"));
        walk::walk_static_block(self, block);
    }

    /// Makes a key one that tells of its element, and gives where it ends.
    fn key(&mut self, key: &PropertyKey<'_>, is_computed: bool, call: &str, decorators: &[Decorator<'_>]) -> usize {
        let span = self.range(key.span());
        if is_computed {
            let open = self.source[..span.start].rfind('[').unwrap_or(span.start);
            let close = self.skip(span.end);
            self.edits.insert(open, format!("[{D}.{call}"));
            self.write(open, decorators);
            self.edits.replace(open..open + 1, ", ");
            self.edits.replace(close..close + 1, ")]");
            return close + 1;
        }
        let text = match key {
            PropertyKey::StaticIdentifier(id) => quoted(id.name.as_str()),
            _ => self.source[span.clone()].to_owned(),
        };
        self.edits.insert(span.start, format!("[{D}.{call}"));
        self.write(span.start, decorators);
        self.edits.replace(span.clone(), format!(", {text})]"));
        span.end
    }

    /// Tells of a private element, at a place where a key may stand.
    fn private(&mut self, at: usize, kind: &str, is_static: bool, name: &str, decorators: &[Decorator<'_>]) {
        self.edits.insert(at, format!("[{D}.p(\"{kind}\", {}, ", u8::from(is_static)));
        self.write(at, decorators);
        let get = if kind == "setter" { String::new() } else { format!(", get: o => o.#{name}") };
        let can_set = !matches!(kind, "method" | "getter");
        let set = if can_set { format!(", set: (o, v) => {{ o.#{name} = v; }}") } else { String::new() };
        self.edits.insert(at, format!(", \"#{name}\", {{has: o => #{name} in o{get}{set}}})]"));
    }

    fn method(&mut self, method: &MethodDefinition<'_>, current: &mut Current) {
        let kind = match method.kind {
            MethodDefinitionKind::Get => "getter",
            MethodDefinitionKind::Set => "setter",
            MethodDefinitionKind::Method => "method",
            MethodDefinitionKind::Constructor => {
                return self.refuse(method.span.start, "A constructor cannot have decorators");
            }
        };
        let index = current.elements;
        current.elements += 1;
        self.cut(&method.decorators);
        let end = self.at(method.span.end);
        let PropertyKey::PrivateIdentifier(id) = &method.key else {
            let call = format!("k(\"{kind}\", {}, ", u8::from(method.r#static));
            self.key(&method.key, method.computed, &call, &method.decorators);
            return walk::walk_method_definition(self, method);
        };
        let span = self.range(id.span);
        let name = id.name.as_str();
        self.private(span.start, kind, method.r#static, name, &method.decorators);
        self.edits.replace(span, "");
        walk::walk_method_definition(self, method);
        let prefix = static_prefix(method.r#static);
        current.has_static_privates |= method.r#static;
        let text = match kind {
            "getter" => format!(" {prefix}get #{name}() {{ return {D}.g({index}, this); }}"),
            "setter" => format!(" {prefix}set #{name}(v) {{ {D}.t({index}, this, v); }}"),
            _ => format!(" {prefix}get #{name}() {{ return {D}.v({index}); }}"),
        };
        self.edits.insert(end, text);
    }

    /// The value of a field, from the end of its key on: `before`, the value with its initialisers, `after`.
    fn value(&mut self, key_end: usize, value: Option<&Expression<'_>>, index: usize, before: &str, after: &str) {
        let Some(value) = value else {
            return self.edits.insert(key_end, format!("{before}{D}.i({index}, this){after}"));
        };
        let is_named = is_anonymous(value);
        let (start, end) = if is_named {
            (format!("{before}{D}.w({index}, this, {{[{D}.m({index})]: "), format!("}}){after}"))
        } else {
            (format!("{before}{D}.i({index}, this, "), format!("){after}"))
        };
        let range = self.range(value.span());
        self.edits.replace(key_end..range.start, start);
        self.visit_expression(value);
        self.edits.insert(range.end, end);
    }

    fn field(&mut self, field: &PropertyDefinition<'_>, first: usize, current: &mut Current) {
        let index = current.elements;
        current.elements += 1;
        self.infer_from_key(&field.key, field.computed, field.value.as_ref());
        let is_static = field.r#static;
        let waits = current.is_decorated && is_static;
        let extras = extras(index, is_static);
        let value = field.value.as_ref();
        if let PropertyKey::PrivateIdentifier(id) = &field.key {
            let name = id.name.as_str();
            self.edits.insert(first, "static ");
            self.private(first, "field", is_static, name, &field.decorators);
            self.edits.insert(first, "() {} ");
            self.cut_and_visit(&field.decorators);
            let end = self.at(id.span.end);
            current.has_static_privates |= is_static;
            if waits {
                let before = format!("; static [{D}.b()]() {{ {D}.F.#{name} = ");
                self.value(end, value, index, &before, &format!("; {D}.x({index}, this); }}"));
            } else {
                self.value(end, value, index, " = ", &extras);
            }
            return;
        }
        self.cut_and_visit(&field.decorators);
        let call = if waits { "f(".to_owned() } else { format!("k(\"field\", {}, ", u8::from(is_static)) };
        let end = self.key(&field.key, field.computed, &call, &field.decorators);
        self.visit_property_key(&field.key);
        if waits {
            self.value(end, value, index, "() { return ", "; }");
        } else {
            self.value(end, value, index, " = ", &extras);
        }
    }

    fn accessor(&mut self, accessor: &AccessorProperty<'_>, first: usize, current: &mut Current) {
        let index = current.elements;
        current.elements += 1;
        self.infer_from_key(&accessor.key, accessor.computed, accessor.value.as_ref());
        self.cut_and_visit(&accessor.decorators);
        let is_static = accessor.r#static;
        current.has_static_privates |= is_static;
        if let Some(word) = self.words(first, &accessor.decorators, "accessor").pop() {
            self.edits.replace(word, "get");
        }
        let prefix = static_prefix(is_static);
        let storage = format!("#storage\u{200c}{index}");
        let mut text = format!(
            "() {{ return this.{storage}; }} {prefix}set [{D}.q({index})](v) {{ this.{storage} = v; }} {prefix}"
        );
        let end = if let PropertyKey::PrivateIdentifier(id) = &accessor.key {
            let (span, name) = (self.range(id.span), id.name.as_str());
            self.private(span.start, "accessor", is_static, name, &accessor.decorators);
            self.edits.replace(span.clone(), "");
            text += &format!("get #{name}() {{ return {D}.g({index}, this); }} ");
            text += &format!("{prefix}set #{name}(v) {{ {D}.t({index}, this, v); }} {prefix}");
            span.end
        } else {
            let call = format!("k(\"accessor\", {}, ", u8::from(is_static));
            let end = self.key(&accessor.key, accessor.computed, &call, &accessor.decorators);
            self.visit_property_key(&accessor.key);
            end
        };
        let value = accessor.value.as_ref();
        if current.is_decorated && is_static {
            text += &format!("{storage}; static [{D}.b()]() {{ {D}.F.{storage} = ");
            self.value(end, value, index, &text, &format!("; {D}.x({index}, this); }}"));
        } else {
            text += &format!("{storage} = ");
            self.value(end, value, index, &text, &extras(index, is_static));
        }
    }

    /// Notes the name that a class gets from where it stands.
    fn infer(&mut self, value: Option<&Expression<'_>>, name: Option<&str>) {
        if let Some(Expression::ClassExpression(class)) = value.map(Expression::get_inner_expression)
            && class.id.is_none()
        {
            self.inferred.insert(class.span.start, name.map(str::to_owned));
        }
    }

    fn infer_from_key(&mut self, key: &PropertyKey<'_>, is_computed: bool, value: Option<&Expression<'_>>) {
        let name = match key {
            _ if is_computed => None,
            PropertyKey::PrivateIdentifier(id) => Some(format!("#{}", id.name)),
            key => key.static_name().map(|name| name.into_owned()),
        };
        self.infer(value, name.as_deref());
    }
}

enum Key {
    Name(String),
    Private(String),
    /// As it is written, with its brackets.
    Text(Range<usize>),
    None,
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

fn static_prefix(is_static: bool) -> &'static str {
    if is_static { "static " } else { "" }
}

/// What runs a field's own initialisers behind it.
fn extras(index: usize, is_static: bool) -> String {
    if is_static {
        format!("; static {{ {D}.x({index}, this); }}")
    } else {
        format!("; #extras\u{200c}{index} = {D}.x({index}, this);")
    }
}

/// Whether a value gets its name from where it goes.
fn is_anonymous(value: &Expression<'_>) -> bool {
    match value.get_inner_expression() {
        Expression::ArrowFunctionExpression(_) => true,
        Expression::FunctionExpression(function) => function.id.is_none(),
        Expression::ClassExpression(class) => class.id.is_none(),
        _ => false,
    }
}

fn has_decorators(class: &Class<'_>) -> bool {
    !class.decorators.is_empty()
        || class.body.body.iter().any(|element| match element {
            ClassElement::MethodDefinition(method) => !method.decorators.is_empty(),
            ClassElement::PropertyDefinition(field) => !field.decorators.is_empty(),
            ClassElement::AccessorProperty(_) => true,
            ClassElement::StaticBlock(_) | ClassElement::TSIndexSignature(_) => false,
        })
}

impl<'a> Visit<'a> for Lowering<'_> {
    fn visit_class(&mut self, class: &Class<'a>) {
        if has_decorators(class) { self.class(class) } else { walk::walk_class(self, class) }
    }

    fn visit_formal_parameter(&mut self, parameter: &FormalParameter<'a>) {
        if let Some(decorator) = parameter.decorators.first() {
            self.has_found = true;
            self.refuse(
                decorator.span.start,
                "Decorators of parameters are not part of the standard, and not supported",
            );
        }
        if let BindingPattern::BindingIdentifier(id) = &parameter.pattern {
            self.infer(parameter.initializer.as_deref(), Some(id.name.as_str()));
        }
        walk::walk_formal_parameter(self, parameter);
    }

    fn visit_export_declaration(&mut self, export: &ExportDeclaration<'a>) {
        if let Declaration::ClassDeclaration(class) = &export.declaration {
            self.exported.insert(class.span.start, (export.span.start, false));
        }
        walk::walk_export_declaration(self, export);
    }

    fn visit_export_default_declaration(&mut self, export: &ExportDefaultDeclaration<'a>) {
        if let ExportDefaultDeclarationKind::ClassDeclaration(class) = &export.declaration {
            self.exported.insert(class.span.start, (export.span.start, true));
            if class.id.is_none() {
                self.inferred.insert(class.span.start, Some("default".into()));
            }
        } else {
            self.infer(export.declaration.as_expression(), Some("default"));
        }
        walk::walk_export_default_declaration(self, export);
    }

    fn visit_variable_declarator(&mut self, declarator: &VariableDeclarator<'a>) {
        if let BindingPattern::BindingIdentifier(id) = &declarator.id {
            self.infer(declarator.init.as_ref(), Some(id.name.as_str()));
        }
        walk::walk_variable_declarator(self, declarator);
    }

    fn visit_assignment_pattern(&mut self, pattern: &AssignmentPattern<'a>) {
        if let BindingPattern::BindingIdentifier(id) = &pattern.left {
            self.infer(Some(&pattern.right), Some(id.name.as_str()));
        }
        walk::walk_assignment_pattern(self, pattern);
    }

    fn visit_assignment_target_with_default(&mut self, target: &AssignmentTargetWithDefault<'a>) {
        if let AssignmentTarget::AssignmentTargetIdentifier(id) = &target.binding {
            self.infer(Some(&target.init), Some(id.name.as_str()));
        }
        walk::walk_assignment_target_with_default(self, target);
    }

    fn visit_assignment_target_property_identifier(&mut self, property: &AssignmentTargetPropertyIdentifier<'a>) {
        self.infer(property.init.as_ref(), Some(property.binding.name.as_str()));
        walk::walk_assignment_target_property_identifier(self, property);
    }

    fn visit_assignment_expression(&mut self, expression: &AssignmentExpression<'a>) {
        if let AssignmentTarget::AssignmentTargetIdentifier(id) = &expression.left {
            self.infer(Some(&expression.right), Some(id.name.as_str()));
        }
        walk::walk_assignment_expression(self, expression);
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        let is_prototype = !property.computed && property.key.static_name().is_some_and(|name| name == "__proto__");
        if property.kind == PropertyKind::Init && !is_prototype {
            self.infer_from_key(&property.key, property.computed, Some(&property.value));
        }
        walk::walk_object_property(self, property);
    }

    fn visit_property_definition(&mut self, field: &PropertyDefinition<'a>) {
        self.infer_from_key(&field.key, field.computed, field.value.as_ref());
        walk::walk_property_definition(self, field);
    }
}
