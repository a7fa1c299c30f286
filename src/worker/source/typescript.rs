//! TypeScript to JavaScript: enums and namespaces are compiled first, then types go. Nothing is checked.

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_transformer::{TransformOptions, Transformer, TypeScriptOptions};

use super::origin::Mapped;
use super::parse::{self, Frame, Problem};
use super::{edits, namespaces};

/// What the JavaScript is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    Console,
    Script,
    Module,
}

/// JavaScript, and where it comes from.
#[derive(Debug)]
pub struct Compiled {
    pub text: String,
    pub map: Vec<Mapped>,
}

/// Compiles a text.
///
/// # Errors
/// When it is not TypeScript, or has something that cannot be compiled.
pub fn compile(text: &str, goal: Goal) -> Result<Compiled, Problem> {
    match goal {
        Goal::Module => compile_in(text, Frame::TypedModule, false),
        Goal::Script => compile_in(text, Frame::TypedScript, false),
        Goal::Console => {
            if parse::begins_with_brace(text)
                && let Ok(compiled) = compile_in(text, Frame::TypedObject, true)
            {
                return Ok(compiled);
            }
            compile_in(text, Frame::TypedModule, true)
        }
    }
}

fn compile_in(text: &str, frame: Frame, keeps_imports: bool) -> Result<Compiled, Problem> {
    let lowered = if namespaces::may_have(text) { namespaces::lower(text, frame)? } else { None };
    let Some(lowered) = lowered else { return without_types(text, frame, keeps_imports) };
    let (lowered, pieces) = lowered.into_parts();
    let back = |offset: usize| edits::original(&pieces, offset).unwrap_or(text.len());
    let mut compiled = without_types(&lowered, frame, keeps_imports).map_err(|problem| Problem {
        offset: back(problem.offset),
        is_at_end: false,
        ..problem
    })?;
    let (of_lowered, of_text) = (Lines::of(&lowered), Lines::of(text));
    for token in &mut compiled.map {
        let offset = back(of_lowered.offset(token.from_line, token.from_column));
        (token.from_line, token.from_column) = of_text.place(offset);
    }
    Ok(compiled)
}

/// Where the lines of a text begin, and how many UTF-16 units stand before each byte; in ASCII as many as bytes.
struct Lines {
    starts: Vec<usize>,
    units: Option<Vec<u32>>,
}

impl Lines {
    fn of(text: &str) -> Lines {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let units = (!text.is_ascii()).then(|| {
            let mut units = vec![0; text.len() + 1];
            let mut count = 0;
            for (at, c) in text.char_indices() {
                units[at..at + c.len_utf8()].fill(count);
                count += c.len_utf16() as u32;
            }
            units[text.len()] = count;
            units
        });
        Lines { starts, units }
    }

    /// The byte at a line and a column, both from 0, the column in UTF-16 units.
    fn offset(&self, line: u32, column: u32) -> usize {
        let start = self.starts.get(line as usize).or(self.starts.last()).copied().unwrap_or(0);
        match &self.units {
            None => start + column as usize,
            Some(units) => units.partition_point(|unit| *unit < units[start] + column),
        }
    }

    /// The line and the column of a byte, both from 0, the column in UTF-16 units.
    fn place(&self, offset: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.starts[line];
        let column = match &self.units {
            None => u32::try_from(offset - start).unwrap_or(u32::MAX),
            Some(units) => units[offset] - units[start],
        };
        (u32::try_from(line).unwrap_or(u32::MAX), column)
    }
}

fn without_types(text: &str, frame: Frame, keeps_imports: bool) -> Result<Compiled, Problem> {
    let allocator = Allocator::default();
    let mut program = parse::parse(&allocator, text, frame)?;
    let scoping = parse::resolve_typed(text, frame, &program)?;
    let options = TransformOptions {
        typescript: TypeScriptOptions {
            // A later run of a console may use what this one imports and does not use.
            only_remove_type_imports: keeps_imports,
            ..TypeScriptOptions::default()
        },
        ..TransformOptions::default()
    };
    let transformed =
        Transformer::new(&allocator, Path::new("run.ts"), &options).build_with_scoping(scoping, &mut program);
    if let Some(problem) = parse::first_problem(text, frame.start().len(), transformed.diagnostics) {
        return Err(problem);
    }
    let options = CodegenOptions { source_map_path: Some("run.ts".into()), ..CodegenOptions::default() };
    let printed = Codegen::new().with_options(options).with_scoping(Some(transformed.scoping)).build(&program);
    let shift = u32::try_from(frame.start().len()).expect("a short constant");
    let back = |line: u32, column: u32| if line == 0 { column.saturating_sub(shift) } else { column };
    let tokens = printed.map.iter().flat_map(|map| map.get_tokens());
    let map = tokens.map(|token| Mapped {
        line: token.get_dst_line(),
        column: token.get_dst_col(),
        from_line: token.get_src_line(),
        from_column: back(token.get_src_line(), token.get_src_col()),
    });
    Ok(Compiled { map: map.collect(), text: printed.code })
}
