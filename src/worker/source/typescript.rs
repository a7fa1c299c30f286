//! TypeScript to JavaScript: types go, enums, namespaces and parameter properties are compiled. Nothing is checked.

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_transformer::{TransformOptions, Transformer, TypeScriptOptions};

use super::origin::Mapped;
use super::parse::{self, Frame, Problem};

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
