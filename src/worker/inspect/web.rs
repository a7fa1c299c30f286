//! Objects of the Web Platform's classes, which print themselves in Node.

use rquickjs::{Array, Object, Result};

use super::names::Names;
use super::object::Description;
use super::{Inspector, width};
use crate::worker::web::{Content, Deep, Shown};

impl<'js> Inspector<'_, 'js> {
    /// The text of an object that the host's own classes have made; `None` for any other.
    pub(super) fn web_object(&mut self, object: &Object<'js>, names: &Names, depth: i64) -> Result<Option<String>> {
        // All of these classes have a tag, and most objects have none.
        if !names.has_tag {
            return Ok(None);
        }
        let Some(shown) = self.host.web.shown(&self.ctx, object)? else { return Ok(None) };
        let Shown { name, content, deep } = shown;
        let name = name.or_else(|| names.constructor.clone()).unwrap_or_else(|| "Object".into());
        if depth > self.options.depth {
            return Ok(Some(match deep {
                Deep::Braces => format!("{name} {{}}"),
                Deep::Bare => name,
                Deep::Bracketed => format!("[{name}]"),
                Deep::Object => "[Object]".into(),
            }));
        }
        let lead = if name.is_empty() { String::new() } else { format!("{name} ") };
        let options = self.options.clone();
        let text = match content {
            Content::Record(record) => self.standing_alone(options, |inspector| {
                let keys = inspector.keys(&record, None)?;
                if keys.is_empty() {
                    return Ok(format!("{lead}{{}}"));
                }
                inspector.contents(&record, 1, Description::record(lead), &keys)
            })?,
            Content::Pairs(pairs) => self.standing_alone(options, |inspector| inspector.pairs(&pairs, &lead))?,
        };
        Ok(Some(text.replace('\n', &format!("\n{}", " ".repeat(self.indentation)))))
    }

    fn pairs(&mut self, pairs: &Array<'js>, lead: &str) -> Result<String> {
        let mut entries = Vec::new();
        let mut total = 0;
        for position in 0..pairs.len() / 2 {
            if self.is_full() {
                break;
            }
            let name = self.value(&pairs.get(2 * position)?, 0)?;
            let value = self.value(&pairs.get(2 * position + 1)?, 0)?;
            let entry = format!("{name} => {value}");
            total += width::units(&entry) + if position == 0 { 0 } else { 2 };
            entries.push(entry);
        }
        Ok(if entries.is_empty() {
            format!("{lead}{{}}")
        } else if total > self.options.break_length {
            format!("{lead}{{\n  {} }}", entries.join(",\n  "))
        } else {
            format!("{lead}{{ {} }}", entries.join(", "))
        })
    }
}
