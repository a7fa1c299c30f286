//! The parser: what it is given, and its complaints in plain sentences.

use oxc_allocator::Allocator;
use oxc_ast::ast::{Expression, FunctionBody, Program, Statement};
use oxc_diagnostics::{Diagnostics, OxcDiagnostic};
use oxc_parser::{ParseOptions, Parser};
use oxc_semantic::{Scoping, SemanticBuilder};
use oxc_span::SourceType;
use oxc_syntax::scope::ScopeId;

/// How much of a text a message quotes, in characters.
const MOST_QUOTED: usize = 24;

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    /// In bytes, in the text that was parsed.
    pub offset: usize,
    /// The text ends where something is missing: more of it might make it right.
    pub is_at_end: bool,
}

impl Problem {
    /// The text is right, in another language.
    pub fn of_typescript(self) -> Problem {
        let message = format!("{}. This is TypeScript: run it with lang \"ts\"", self.message);
        Problem { message, ..self }
    }
}

/// What is put around a text to be parsed, so that the parser takes it for what it is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// Nothing: a script.
    Script,
    /// Nothing: a module, for import declarations.
    Module,
    /// Parentheses: an expression that begins with a brace.
    Object,
    /// An async function: a script that awaits.
    Async,
    /// Both.
    AsyncObject,
    /// Nothing: TypeScript that may await and import, as modules and consoles have it.
    TypedModule,
    /// Nothing: TypeScript for a script.
    TypedScript,
    /// Parentheses: a TypeScript expression that begins with a brace.
    TypedObject,
}

impl Frame {
    pub fn start(self) -> &'static str {
        match self {
            Frame::Script | Frame::Module | Frame::TypedModule | Frame::TypedScript => "",
            Frame::Object | Frame::TypedObject => "(",
            Frame::Async => "(async function () {",
            Frame::AsyncObject => "(async function () {(",
        }
    }

    pub fn end(self) -> &'static str {
        match self {
            Frame::Script | Frame::Module | Frame::TypedModule | Frame::TypedScript => "",
            Frame::Object | Frame::TypedObject => "\n)",
            Frame::Async => "\n})",
            Frame::AsyncObject => "\n)})",
        }
    }

    pub fn is_object(self) -> bool {
        matches!(self, Frame::Object | Frame::AsyncObject | Frame::TypedObject)
    }

    fn source_type(self) -> SourceType {
        match self {
            Frame::Module => SourceType::mjs(),
            Frame::Script | Frame::Object | Frame::Async | Frame::AsyncObject => SourceType::script(),
            Frame::TypedModule | Frame::TypedObject => SourceType::ts(),
            Frame::TypedScript => SourceType::ts().with_script(true),
        }
    }
}

/// Parses a text within its frame.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse<'a>(allocator: &'a Allocator, text: &str, frame: Frame) -> Result<Program<'a>, Problem> {
    parse_as(allocator, text, frame, false)
}

/// The same, with parentheses as expressions of their own, for those who move expressions.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse_with_parens<'a>(allocator: &'a Allocator, text: &str, frame: Frame) -> Result<Program<'a>, Problem> {
    parse_as(allocator, text, frame, true)
}

fn parse_as<'a>(
    allocator: &'a Allocator,
    text: &str,
    frame: Frame,
    preserve_parens: bool,
) -> Result<Program<'a>, Problem> {
    let framed = allocator.alloc_concat_strs_array([frame.start(), text, frame.end()]);
    let options = ParseOptions {
        parse_regular_expression: true,
        allow_return_outside_function: true,
        preserve_parens,
        ..ParseOptions::default()
    };
    let parsed = Parser::new(allocator, framed, frame.source_type()).with_options(options).parse();
    if let Some(problem) = first_problem(text, frame.start().len(), parsed.diagnostics) {
        return Err(problem);
    }
    Ok(parsed.program)
}

/// Whether a text is well-formed.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(text: &str, frame: Frame) -> Result<(), Problem> {
    let allocator = Allocator::default();
    let program = parse(&allocator, text, frame)?;
    resolve(text, frame, &program).map(drop)
}

/// Resolves the names of a program, and finds the errors that only then show.
///
/// # Errors
/// The first of them.
pub fn resolve<'a>(text: &str, frame: Frame, program: &'a Program<'a>) -> Result<Scoping, Problem> {
    let built = SemanticBuilder::new_compiler().build(program);
    match first_problem(text, frame.start().len(), built.diagnostics) {
        Some(problem) => Err(problem),
        None => Ok(built.semantic.into_scoping()),
    }
}

/// The same for TypeScript, with room for what the compiler adds, and the values of enums.
///
/// # Errors
/// The first thing that is wrong.
pub fn resolve_typed<'a>(text: &str, frame: Frame, program: &'a Program<'a>) -> Result<Scoping, Problem> {
    let built = SemanticBuilder::new_compiler().with_enum_eval(true).with_excess_capacity(2.0).build(program);
    match first_problem(text, frame.start().len(), built.diagnostics) {
        Some(problem) => Err(problem),
        None => Ok(built.semantic.into_scoping()),
    }
}

/// Whether the first character that is neither space nor comment is a brace.
pub fn begins_with_brace(source: &str) -> bool {
    let mut rest = source.trim_start();
    loop {
        let comment = if let Some(line) = rest.strip_prefix("//") {
            line.split_once('\n')
        } else if let Some(block) = rest.strip_prefix("/*") {
            block.split_once("*/")
        } else {
            return rest.starts_with('{');
        };
        let Some((_, after)) = comment else { return false };
        rest = after.trim_start();
    }
}

/// The part of a framed program that is the text's own, and the scope that its top-level names are in.
pub enum Body<'p, 'a> {
    Program(&'p Program<'a>),
    Function(&'p FunctionBody<'a>, Option<ScopeId>),
}

impl<'p, 'a> Body<'p, 'a> {
    pub fn of(program: &'p Program<'a>, frame: Frame) -> Body<'p, 'a> {
        if matches!(frame, Frame::Async | Frame::AsyncObject)
            && let Some(Statement::ExpressionStatement(statement)) = program.body.first()
            && let Expression::FunctionExpression(function) = &statement.expression
            && let Some(body) = &function.body
        {
            return Body::Function(body, function.scope_id.get());
        }
        Body::Program(program)
    }

    pub fn statements(&self) -> &'p [Statement<'a>] {
        match self {
            Body::Program(program) => &program.body,
            Body::Function(body, _) => &body.statements,
        }
    }

    /// Where the last directive ends, in the framed text.
    pub fn directives_end(&self) -> Option<u32> {
        let directives = match self {
            Body::Program(program) => &program.directives,
            Body::Function(body, _) => &body.directives,
        };
        directives.last().map(|directive| directive.span.end)
    }
}

/// The first error among the parser's words.
pub fn first_problem(text: &str, frame_start: usize, diagnostics: Diagnostics) -> Option<Problem> {
    let all: Vec<OxcDiagnostic> = diagnostics.into_vec();
    let first = all.into_iter().find(|one| one.severity == oxc_diagnostics::Severity::Error)?.inner_owned();
    // A name that is declared twice is wrong where it is the second time; all else where it is first said to be.
    let is_twice = first.message.contains("already been declared");
    let label = if is_twice { first.labels.last() } else { first.labels.first() };
    let begin = label.map_or(0, |label| label.offset() as usize).saturating_sub(frame_start).min(text.len());
    let end = (begin + label.map_or(0, |label| label.len() as usize)).min(text.len());
    let is_at_end = text.get(begin..).is_none_or(|rest| rest.trim().is_empty());
    let quoted = text.get(begin..end).unwrap_or_default();
    let message = sentence(&first.message, quoted, is_at_end);
    Some(Problem { message, offset: begin, is_at_end })
}

/// The parser's words as a plain sentence.
fn sentence(message: &str, quoted: &str, is_at_end: bool) -> String {
    let message = message.trim_end_matches('.').replace('`', "'");
    if message != "Unexpected token" {
        return message;
    }
    if is_at_end {
        return "Unexpected end of input".into();
    }
    let mut quoted: String = quoted.lines().next().unwrap_or_default().to_owned();
    if quoted.chars().count() > MOST_QUOTED {
        quoted = quoted.chars().take(MOST_QUOTED).chain(['…']).collect();
    }
    format!("Unexpected token '{quoted}'")
}
