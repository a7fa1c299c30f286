//! What is in values, as clients see it.

use serde::Serialize;

use crate::ipc::{Content, Glimpse, Preview, Property, PropertyKind, Reference, ValueKind};

/// A value in a few words, and the first of what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreviewShown {
    pub kind: ValueKind,
    pub text: String,
    /// For what `inspect` can open.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<PropertyShown>,
    #[serde(skip_serializing_if = "is_zero")]
    pub more: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PropertyShown {
    pub key: String,
    #[serde(skip_serializing_if = "is_plain")]
    pub kind: PropertyKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_ref: Option<Reference>,
    /// Absent for an accessor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<PreviewShown>,
    /// For an accessor that may be asked for what it returns, by `inspect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub getter: Option<Reference>,
}

impl PreviewShown {
    /// What holding it costs, more or less.
    pub fn bytes(&self) -> usize {
        size_of::<PreviewShown>() + self.text.len() + self.entries.iter().map(PropertyShown::bytes).sum::<usize>()
    }
}

impl PropertyShown {
    /// What holding it costs, more or less.
    pub fn bytes(&self) -> usize {
        size_of::<PropertyShown>() + self.key.len() + self.value.as_ref().map_or(0, PreviewShown::bytes)
    }
}

impl From<Glimpse> for PreviewShown {
    fn from(glimpse: Glimpse) -> PreviewShown {
        let Glimpse { kind, text } = glimpse;
        PreviewShown { kind, text, reference: None, entries: Vec::new(), more: 0 }
    }
}

impl From<Preview> for PreviewShown {
    fn from(preview: Preview) -> PreviewShown {
        let Preview { glimpse: Glimpse { kind, text }, reference, entries, more } = preview;
        let entries = entries.into_iter().map(PropertyShown::from).collect();
        PreviewShown { kind, text, reference, entries, more }
    }
}

impl<V: Into<PreviewShown>> From<Property<V>> for PropertyShown {
    fn from(property: Property<V>) -> PropertyShown {
        let Property { key, kind, key_reference, content } = property;
        let (value, getter) = match content {
            Content::Value(value) => (Some(value.into()), None),
            Content::Getter(getter) => (None, getter),
            Content::Setter => (None, None),
        };
        PropertyShown { key, kind, key_ref: key_reference, value, getter }
    }
}

fn is_plain(kind: &PropertyKind) -> bool {
    *kind == PropertyKind::Plain
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
