//! What could stand at a cursor: names, properties, indexes and keywords, from the text before it ([`place`]), the names declared in
//! the text ([`outline`]), and the live engine ([`live`]).
//!
//! Nothing of a script's runs for it. Only data properties are read, by their descriptors; an accessor is listed and never asked; a
//! proxy is the end of whatever led to it; nothing is called.

mod describe;
mod keywords;
mod live;
mod outline;
mod place;
pub mod rehearsal;
mod tokens;

use std::collections::HashSet;

use oxc_syntax::identifier::is_identifier_name;
use rquickjs::{Ctx, Object, Result, Value};

use self::live::Live;
use self::outline::{How, outline};
use self::place::{Place, Site, place};
use self::tokens::Tokens;
use super::host::Host;
use super::source::{self, Lexical};
use crate::ipc::{Completion, CompletionKind, Completions, MOST_COMPLETIONS, MOST_GLIMPSE_UNITS};

/// Elements of a list that are offered by number. Whoever wants a later one types it.
const MOST_ELEMENTS: usize = 100;

/// What could stand at the cursor, which is in UTF-16 units.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn completions(ctx: &Ctx<'_>, host: &Host, code: &str, cursor: u32) -> Result<Completions> {
    let place = place(code, cursor);
    let mut live = Live::new(ctx, host)?;
    let items = match &place.site {
        Site::Nothing => Vec::new(),
        Site::Name => names(&mut live, code, &place)?,
        Site::Member(chain) => match live.value_of(chain)? {
            Some(value) => members(&mut live, &value, place.prefix, None)?,
            None => Vec::new(),
        },
        Site::Key(chain, quote) => match live.value_of(chain)? {
            Some(value) => members(&mut live, &value, place.prefix, Some(*quote))?,
            None => Vec::new(),
        },
        Site::Element(chain) => {
            let elements = match live.value_of(chain)? {
                Some(value) => live.elements(&value, place.prefix, MOST_ELEMENTS)?,
                None => Vec::new(),
            };
            // In front of the brackets of anything else stands what holds the key.
            if elements.is_empty() && place.prefix.is_empty() { names(&mut live, code, &place)? } else { elements }
        }
    };
    Ok(Completions { from: place.from, to: place.to, items })
}

/// Where a candidate comes from.
enum Origin<'js> {
    Lexical(Lexical),
    /// An own property of this object.
    Property(Object<'js>),
    Local(How),
    Word(CompletionKind, &'static str),
}

struct Candidate<'js> {
    label: String,
    /// It begins with the prefix only if capitals do not matter.
    is_loose: bool,
    /// How far away: 0 is own, then come the prototypes.
    level: usize,
    origin: Origin<'js>,
}

/// Candidates that begin with the prefix. A nearer one hides others of its name.
struct Candidates<'p, 'js> {
    prefix: &'p str,
    seen: HashSet<String>,
    all: Vec<Candidate<'js>>,
}

impl<'p, 'js> Candidates<'p, 'js> {
    fn new(prefix: &'p str) -> Candidates<'p, 'js> {
        Candidates { prefix, seen: HashSet::new(), all: Vec::new() }
    }

    fn offer(&mut self, label: String, level: usize, origin: Origin<'js>) {
        if let Some(is_loose) = begins_with(&label, self.prefix)
            && self.seen.insert(label.clone())
        {
            self.all.push(Candidate { label, is_loose, level, origin });
        }
    }

    fn into_sorted(self) -> Vec<Candidate<'js>> {
        let mut all = self.all;
        all.sort_by_cached_key(|one| (one.is_loose, one.level, one.label.to_lowercase(), one.label.clone()));
        all
    }
}

/// Whether a label begins with a prefix, and if so, whether only without regard to capitals.
fn begins_with(label: &str, prefix: &str) -> Option<bool> {
    if label.starts_with(prefix) {
        return Some(false);
    }
    let mut letters = label.chars().flat_map(char::to_lowercase);
    prefix.chars().flat_map(char::to_lowercase).all(|letter| letters.next() == Some(letter)).then_some(true)
}

/// Names that a user may be shown.
fn is_showable(name: &str) -> bool {
    is_identifier_name(name) && name.encode_utf16().count() <= MOST_GLIMPSE_UNITS && !source::is_hidden(name)
}

/// A key that can be written between quotes as it is.
fn is_quotable(key: &str, quote: char) -> bool {
    !key.contains(|c: char| c == quote || c == '\\' || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
        && key.encode_utf16().count() <= MOST_GLIMPSE_UNITS
        && !source::is_hidden(key)
}

fn names<'js>(live: &mut Live<'_, 'js>, code: &str, place: &Place) -> Result<Vec<Completion>> {
    let mut candidates = Candidates::new(place.prefix);
    let lexicals = live.host.sources.lexicals(|name| is_showable(name) && begins_with(name, place.prefix).is_some());
    for (name, lexical) in lexicals {
        live.step()?;
        candidates.offer(name, 0, Origin::Lexical(lexical));
    }
    let globals = live.ctx.globals();
    live.each_key(&globals.into_value(), |key, level, holder| {
        if is_showable(&key) {
            candidates.offer(key, level, Origin::Property(holder.clone()));
        }
    })?;
    let tokens = Tokens::of(code);
    for local in outline(&tokens).names {
        let name = tokens.read(local.at);
        let is_at_cursor = tokens.get(local.at).is_some_and(|token| token.start == place.start);
        let is_news = !is_at_cursor && !candidates.seen.contains(name) && is_showable(name);
        if is_news && !keywords::words().any(|(word, ..)| word == name) {
            candidates.offer(name.to_owned(), 0, Origin::Local(local.how));
        }
    }
    if !place.prefix.is_empty() {
        for (word, kind, detail) in keywords::words().filter(|(word, ..)| word.starts_with(place.prefix)) {
            candidates.offer(word.to_owned(), usize::MAX, Origin::Word(kind, detail));
        }
    }
    described(live, candidates, true)
}

/// The properties of a value: those that can stand behind a dot, or between quotes.
fn members<'js>(
    live: &mut Live<'_, 'js>,
    value: &Value<'js>,
    prefix: &str,
    quote: Option<char>,
) -> Result<Vec<Completion>> {
    let mut candidates = Candidates::new(prefix);
    live.each_key(value, |key, level, holder| {
        if quote.map_or_else(|| is_showable(&key), |quote| is_quotable(&key, quote)) {
            candidates.offer(key, level, Origin::Property(holder.clone()));
        }
    })?;
    let is_global = *value == live.ctx.globals().into_value();
    described(live, candidates, is_global)
}

/// The first of the candidates, each with what it is.
fn described<'js>(
    live: &mut Live<'_, 'js>,
    candidates: Candidates<'_, 'js>,
    is_global: bool,
) -> Result<Vec<Completion>> {
    let mut items = Vec::new();
    for Candidate { label, level, origin, .. } in candidates.into_sorted() {
        if items.len() == MOST_COMPLETIONS {
            break;
        }
        live.step()?;
        let found = match origin {
            Origin::Lexical(lexical) => live.describe_lexical(&lexical)?,
            Origin::Property(holder) => live.describe_property(&label, level, &holder, is_global)?,
            Origin::Local(how) => Some(describe::local(how)),
            Origin::Word(kind, detail) => Some((kind, detail.to_owned())),
        };
        items.extend(found.map(|(kind, detail)| Completion { label, kind, detail }));
    }
    Ok(items)
}
