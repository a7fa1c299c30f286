//! The files that come with a run, and how its imports find them.
//!
//! Each run has a folder of its own: `util.js` of run 3 is `run-3/util.js` for the engine, so that a later run's file of the same
//! name is another module.

use std::collections::VecDeque;
use std::rc::Rc;

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::object::Property;
use rquickjs::{Ctx, Error, Exception, Module, Result};

use super::guard::{guarded, sentence};
use super::javascript::{Javascript, Refused};
use super::origin::{self, Way};
use super::parse::{self, Frame};
use super::typescript::Goal;
use crate::ipc::SourceFile;
use crate::worker::host::Host;

/// Runs whose files are kept, for what their functions import later; the oldest go first.
const MOST_FOLDERS: usize = 64;

/// Bytes of files that are kept.
const MOST_FILE_BYTES: usize = 2 << 20;

/// Endings that may be left out, or written instead of each other: TypeScript is imported by the name of what it becomes.
const ENDINGS: [&str; 4] = [".js", ".ts", ".mjs", ".mts"];

/// The files of the last runs.
#[derive(Debug, Default)]
pub struct Folders {
    /// The name of the run's own text, and its files.
    kept: VecDeque<(String, Rc<[SourceFile]>)>,
    bytes: usize,
}

impl Folders {
    pub fn add(&mut self, run: String, files: Vec<SourceFile>) {
        if files.is_empty() {
            return;
        }
        self.bytes += size_of_all(&files);
        self.kept.push_back((run, files.into()));
        while self.kept.len() > MOST_FOLDERS || (self.bytes > MOST_FILE_BYTES && self.kept.len() > 1) {
            let Some((_, files)) = self.kept.pop_front() else { break };
            self.bytes -= size_of_all(&files);
        }
    }

    fn of_run(&self, run: &str) -> Option<Rc<[SourceFile]>> {
        self.kept.iter().rev().find(|(name, _)| name == run).map(|(_, files)| Rc::clone(files))
    }

    /// The text of a file by its full name.
    fn text(&self, full: &str) -> Option<String> {
        let (run, name) = full.split_once('/')?;
        self.of_run(run)?.iter().find(|file| file.name == name).map(|file| file.text.clone())
    }
}

fn size_of_all(files: &[SourceFile]) -> usize {
    files.iter().map(|file| file.name.len() + file.text.len()).sum()
}

/// The path of `name` from the folder of `base`, both within one run. `None` where it leads out.
fn join(base: &str, name: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Finds the files that imports mean.
pub struct Files {
    pub host: Rc<Host>,
}

impl Files {
    /// The run whose code imports, and the path of that code within the run.
    fn importer<'b>(&self, base: &'b str) -> (String, &'b str) {
        match base.split_once('/') {
            Some((run, path)) if run.starts_with("run-") => (run.to_owned(), path),
            _ if base.starts_with("run-") => (base.to_owned(), ""),
            // Code that was made by `eval` or `Function`.
            _ => (self.host.turn().map_or_else(String::new, |turn| origin::file_of(turn.run)), ""),
        }
    }

    fn find(&self, base: &str, name: &str) -> std::result::Result<String, String> {
        if !(name.starts_with("./") || name.starts_with("../")) {
            return Err(format!(
                "Cannot import '{name}': there is no network, and there are no packages. A run can import the files that are \
                 sent with it, by a name that begins with './'"
            ));
        }
        let (run, path) = self.importer(base);
        let missing = || {
            Err(format!(
                "Cannot import '{name}': no such file was sent with the run, and there is no network to get it from"
            ))
        };
        let Some(wanted) = join(path, name) else { return missing() };
        let Some(files) = self.host.sources.files_of(&run) else { return missing() };
        let stem = ENDINGS.iter().find_map(|ending| wanted.strip_suffix(ending)).unwrap_or(&wanted);
        let others = ENDINGS.iter().flat_map(|ending| [format!("{wanted}{ending}"), format!("{stem}{ending}")]);
        let found = std::iter::once(wanted.clone()).chain(others).find(|name| files.iter().any(|f| f.name == *name));
        found.map_or_else(missing, |found| Ok(format!("{run}/{found}")))
    }
}

impl Resolver for Files {
    fn resolve<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        self.find(base, name).map_err(|message| Exception::throw_type(ctx, &message))
    }
}

impl Loader for Files {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        let Some(text) = self.host.sources.file_text(name) else {
            let message =
                format!("Cannot import '{name}': there is no network, and its run's files are no longer kept");
            return Err(Exception::throw_type(ctx, &message));
        };
        declare(ctx, &self.host, name, &text, is_typescript(name))
    }
}

/// Whether a file is TypeScript, by its name.
fn is_typescript(name: &str) -> bool {
    [".ts", ".mts"].iter().any(|ending| name.ends_with(ending))
}

/// Checks the text of a module, and makes JavaScript of it.
///
/// # Errors
/// When there is a problem with it.
pub fn prepare(text: &str, is_typescript: bool) -> std::result::Result<Javascript<'_>, Refused> {
    let javascript = Javascript::of(text, is_typescript, Goal::Module)?;
    if !is_typescript {
        parse::check(&javascript.text, Frame::Module).map_err(|problem| javascript.refused(problem))?;
    }
    Ok(javascript)
}

/// Gives the engine a module, under the name that its frames will have.
fn declare<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    name: &str,
    text: &str,
    is_typescript: bool,
) -> Result<Module<'js, Declared>> {
    let prepared = match guarded(host, || prepare(text, is_typescript)) {
        Ok(prepared) => prepared,
        Err(cut) => return Err(throw_syntax(ctx, sentence(cut), name)),
    };
    match prepared {
        Ok(javascript) => {
            host.sources.install_decorators(ctx, &javascript)?;
            let text = javascript.text.as_ref().to_owned();
            host.sources.add_origin(name.to_owned(), javascript.way());
            declare_ready(ctx, name, text)
        }
        Err(Refused { place: (line, column), problem }) => {
            Err(throw_syntax(ctx, &problem.message, &format!("{name}:{line}:{column}")))
        }
    }
}

/// Throws an error about the text at a place.
fn throw_syntax(ctx: &Ctx<'_>, message: &str, place: &str) -> Error {
    let error = Exception::throw_syntax(ctx, message);
    let thrown = ctx.catch();
    let Some(object) = thrown.as_object() else { return error };
    let stack = Property::from(format!("    at {place}\n")).writable().configurable();
    object.prop("stack", stack).map_or_else(|error| error, |()| ctx.throw(thrown.clone()))
}

/// The same, for a text that has been prepared.
pub fn declare_ready<'js>(ctx: &Ctx<'js>, name: &str, text: String) -> Result<Module<'js, Declared>> {
    let module = Module::declare(ctx.clone(), name, text)?;
    let path = name.split_once('/').map_or("main.js", |(_, path)| path);
    let url = format!("file:///{path}");
    module.meta()?.prop("url", Property::from(url).writable().enumerable().configurable())?;
    Ok(module)
}

impl super::Sources {
    fn files_of(&self, run: &str) -> Option<Rc<[SourceFile]>> {
        self.folders.borrow().of_run(run)
    }

    fn file_text(&self, full: &str) -> Option<String> {
        self.folders.borrow().text(full)
    }

    pub fn add_origin(&self, file: String, way: Way) {
        self.origins.borrow_mut().add(file, way);
    }
}
