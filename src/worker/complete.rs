//! What could stand at a cursor.

use rquickjs::{Ctx, Result};

use super::host::Host;
use crate::ipc::{Completion, CompletionKind, Completions};

const KEYWORDS: [&str; 3] = ["const", "function", "return"];

/// What could stand at the cursor, which is in UTF-16 units.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn completions(_ctx: &Ctx<'_>, _host: &Host, code: &str, cursor: u32) -> Result<Completions> {
    let units: Vec<u16> = code.encode_utf16().take(cursor as usize).collect();
    let before = String::from_utf16_lossy(&units);
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let items = KEYWORDS.iter().filter(|keyword| keyword.starts_with(word)).map(|keyword| Completion {
        label: (*keyword).to_owned(),
        kind: CompletionKind::Keyword,
        detail: String::new(),
    });
    let length = u32::try_from(word.encode_utf16().count()).unwrap_or(u32::MAX);
    Ok(Completions { from: cursor.saturating_sub(length), to: cursor, items: items.collect() })
}
