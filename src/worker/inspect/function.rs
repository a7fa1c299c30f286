//! Functions and classes: `[Function: name]`, `[class A extends B]`.

use rquickjs::{Object, Result};

use super::Inspector;
use super::names::Names;

impl<'js> Inspector<'_, 'js> {
    pub(super) fn function_base(&self, function: &Object<'js>, names: &Names) -> Result<String> {
        let kind = self.look.function_kind(function)?;
        if kind == "class" {
            return self.class_base(function, names);
        }
        let odd = if names.constructor.is_none() { " (null prototype)" } else { "" };
        let mut base = match self.inherited_name(function)?.as_deref() {
            None => format!("[{kind}{odd}: undefined]"),
            Some("") => format!("[{kind}{odd} (anonymous)]"),
            Some(name) => format!("[{kind}{odd}: {name}]"),
        };
        if let Some(constructor) = names.constructor.as_deref().filter(|constructor| *constructor != kind) {
            base += &format!(" {constructor}");
        }
        Ok(base + &names.tag_suffix())
    }

    fn class_base(&self, class: &Object<'js>, names: &Names) -> Result<String> {
        let name = self.own_name(class)?.filter(|name| !name.is_empty()).unwrap_or_else(|| "(anonymous)".into());
        let mut base = format!("class {name}");
        if let Some(constructor) = names.constructor.as_deref().filter(|constructor| *constructor != "Function") {
            base += &format!(" [{constructor}]");
        }
        base += &names.tag_suffix();
        if names.constructor.is_none() {
            base += " extends [null prototype]";
        } else if let Some(parent) = class.get_prototype().filter(|parent| !parent.as_value().is_proxy())
            && let Some(parent) = self.inherited_name(&parent)?.filter(|parent| !parent.is_empty())
        {
            base += &format!(" extends {parent}");
        }
        Ok(format!("[{base}]"))
    }
}
