//! What a client may ask about an engine without running code in it, and the answers. The worker takes questions between turns, in
//! the order they came.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ErrorInfo, Lang, ValueKind, counted};

/// Values that an engine keeps for clients to look at. The oldest are given up first.
pub const MOST_REFERENCES: usize = 5_000;

/// Entries of one [`Answer::Properties`].
pub const MOST_PROPERTIES: u32 = 1_000;

/// Bytes of one answer, by the measure of [`properties_bytes`]. The worker stops at half of it, which leaves room for one more entry.
pub const MOST_ANSWER_BYTES: usize = 1 << 20;

/// Items of one [`Completions`]. Nobody reads more before typing on.
pub const MOST_COMPLETIONS: usize = 500;

/// Entries of a [`Preview`].
pub const MOST_PREVIEWED: usize = 8;

/// UTF-16 units of a [`Glimpse`]'s text, of a key and of a completion's label or detail.
pub const MOST_GLIMPSE_UNITS: usize = 200;

/// How long an answer may take.
const QUERY_TIME: Duration = Duration::from_secs(1);

/// How long completions may take: whoever types does not wait for longer.
const COMPLETE_TIME: Duration = Duration::from_millis(50);

/// From the interrupt of a question to the end of its worker, where no code of the script's runs: nothing is there that could swallow
/// an interrupt, only a machine that is busy elsewhere, and that must not cost a session its state.
pub const PATIENT_GRACE: Duration = Duration::from_secs(10);

/// A value that the engine keeps for the client. The worker counts them from 1 after each `Prepare`; towards the client the session
/// counts on, so that a number never means two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(pub u32);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Query {
    /// What is in a value that was shown; or, where a getter was shown, what it returns.
    Inspect { reference: Reference, start: u64, count: u32 },
    /// What could stand at the cursor, which is in UTF-16 units from the start of the code.
    Complete { code: String, cursor: u32 },
    /// Whether a console should run this text, or wait for more of it.
    IsComplete { code: String, lang: Lang },
}

impl Query {
    /// How long its answer may take.
    pub fn time_limit(&self) -> Duration {
        match self {
            Query::Complete { .. } => COMPLETE_TIME,
            Query::Inspect { .. } | Query::IsComplete { .. } => QUERY_TIME,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// A part of what is in a value; `total` counts all of it.
    Properties {
        total: u64,
        #[serde(deserialize_with = "counted::list")]
        entries: Vec<Property<Preview>>,
    },
    /// What a getter has returned.
    Value(Preview),
    /// What a getter has thrown.
    Thrown(ErrorInfo),
    /// The reference was given up.
    Expired,
    Completions(Completions),
    Completeness(Completeness),
    /// It would have taken longer than a question may.
    TooSlow,
}

/// A value in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glimpse {
    pub kind: ValueKind,
    /// One line: a primitive as it prints inside of an object, an object's class.
    pub text: String,
}

/// A value and the first of what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    pub glimpse: Glimpse,
    /// For what can be opened.
    pub reference: Option<Reference>,
    #[serde(deserialize_with = "counted::list")]
    pub entries: Vec<Property<Glimpse>>,
    /// How many more there are.
    pub more: u64,
}

/// One thing in a value. The type of its value keeps previews from nesting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property<V> {
    pub key: String,
    pub kind: PropertyKind,
    /// For the key of a Map's entry that can be opened.
    pub key_reference: Option<Reference>,
    pub content: Content<V>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content<V> {
    Value(V),
    /// With a reference, where it may be asked for what it returns.
    Getter(Option<Reference>),
    /// Can only be set.
    Setter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PropertyKind {
    /// Own, enumerable, with a string for a key.
    Plain,
    /// An element of a list.
    Index,
    /// Of a Map.
    Entry,
    /// Of a Set; the key is its place.
    Item,
    Symbol,
    /// Own, not enumerable.
    Hidden,
    /// What the language keeps out of reach: `[[Prototype]]`, `[[PromiseState]]`.
    Internal,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completions {
    /// The part of the code that an item replaces, in UTF-16 units.
    pub from: u32,
    pub to: u32,
    #[serde(deserialize_with = "counted::list")]
    pub items: Vec<Completion>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    pub label: String,
    pub kind: CompletionKind,
    /// A few words: the type, the arity, where it is inherited from.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompletionKind {
    Keyword,
    Variable,
    Function,
    Class,
    Constant,
    Property,
    Method,
}

/// Whether a text is a whole program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    Complete,
    /// More could make it one.
    Incomplete,
    /// Whatever follows, it is none.
    Invalid,
}

impl Glimpse {
    fn bytes(&self) -> usize {
        self.text.len()
    }
}

impl<V> Property<V> {
    fn bytes(&self, of: impl Fn(&V) -> usize) -> usize {
        let value = match &self.content {
            Content::Value(value) => of(value),
            Content::Getter(_) | Content::Setter => 0,
        };
        self.key.len() + value + PROPERTY_BYTES
    }
}

/// What a property costs besides its texts, on the wire at least.
const PROPERTY_BYTES: usize = 48;

impl Preview {
    /// What it counts against the caps on console output.
    pub fn bytes(&self) -> usize {
        let entries = self.entries.iter().map(|entry| entry.bytes(Glimpse::bytes));
        self.glimpse.bytes() + PROPERTY_BYTES + entries.sum::<usize>()
    }
}

impl<V> Property<V> {
    /// Changes every reference, by a function that fails for one that cannot be.
    fn try_map(mut self, map: &mut impl FnMut(Reference) -> Option<Reference>) -> Option<Property<V>> {
        if let Some(reference) = self.key_reference {
            self.key_reference = Some(map(reference)?);
        }
        if let Content::Getter(Some(reference)) = self.content {
            self.content = Content::Getter(Some(map(reference)?));
        }
        Some(self)
    }
}

impl Preview {
    /// Changes every reference, by a function that fails for one that cannot be.
    pub fn try_map(mut self, map: &mut impl FnMut(Reference) -> Option<Reference>) -> Option<Preview> {
        if let Some(reference) = self.reference {
            self.reference = Some(map(reference)?);
        }
        self.entries = self.entries.into_iter().map(|entry| entry.try_map(map)).collect::<Option<_>>()?;
        Some(self)
    }
}

/// The same for a list of properties.
pub fn try_map_properties(
    entries: Vec<Property<Preview>>,
    map: &mut impl FnMut(Reference) -> Option<Reference>,
) -> Option<Vec<Property<Preview>>> {
    let inner = |entry: Property<Preview>| {
        let mut entry = entry.try_map(map)?;
        if let Content::Value(value) = entry.content {
            entry.content = Content::Value(value.try_map(map)?);
        }
        Some(entry)
    };
    entries.into_iter().map(inner).collect()
}

/// What a list of properties costs.
pub fn properties_bytes(entries: &[Property<Preview>]) -> usize {
    entries.iter().map(|entry| entry.bytes(Preview::bytes)).sum()
}
