//! `console.table`: rows and columns in a frame of box-drawing characters.

use std::collections::BTreeMap;

use rquickjs::{Ctx, Filter, Object, Result, Value};

use super::contents::plural;
use super::width::columns;
use super::{Inspector, Options, cut, text_cap};
use crate::sandbox::{Gives, Pending};
use crate::worker::host::Host;
use crate::worker::tools::Slot;

/// Cells of one table. Rows beyond them are counted, not shown: nobody reads them, and each costs its width.
const MOST_CELLS: usize = 20_000;

/// Columns that one row may add.
const MOST_COLUMNS: usize = 1000;

const INDEX: &str = "(index)";
const ITERATION: &str = "(iteration index)";
const KEY: &str = "Key";
const VALUES: &str = "Values";

/// The text of a table; `None` for what is no object and so is printed as it is. `filter` names the columns.
///
/// # Errors
/// When the turn must stop, or the engine fails.
pub fn table_text<'js>(
    ctx: &Ctx<'js>,
    host: &Host,
    data: &Value<'js>,
    filter: Option<&Object<'js>>,
) -> Result<Option<String>> {
    let Some(object) = data.as_object().filter(|_| !data.is_function()) else { return Ok(None) };
    let mut inspector = Inspector::new(ctx, host)?;
    let Some(object) = inspector.without_proxies(object)? else { return Ok(None) };
    let filter = filter.map(|filter| inspector.column_names(filter)).transpose()?;
    let table = inspector.table_of(&object, filter.as_deref())?;
    Ok(Some(cut(table.text(text_cap(host)), text_cap(host))))
}

/// A table by columns: what stands above each, and its cells by row.
#[derive(Default)]
struct Table {
    heads: Vec<String>,
    cells: Vec<BTreeMap<usize, String>>,
    rows: usize,
    left_out: usize,
}

impl Table {
    fn with_heads(heads: &[&str]) -> Table {
        let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
        Table { cells: vec![BTreeMap::new(); heads.len()], heads, rows: 0, left_out: 0 }
    }

    fn push_row(&mut self, cells: Vec<String>) {
        for (column, cell) in self.cells.iter_mut().zip(cells) {
            column.insert(self.rows, cell);
        }
        self.rows += 1;
    }

    fn is_full(&self) -> bool {
        self.rows * self.heads.len() >= MOST_CELLS
    }

    /// Draws it; stops where the text would be cut off anyway.
    fn text(&self, most: usize) -> String {
        let widths: Vec<usize> = self
            .heads
            .iter()
            .zip(&self.cells)
            .map(|(head, cells)| cells.values().map(|cell| columns(cell)).max().unwrap_or(0).max(columns(head)))
            .collect();
        let rule = |left: &str, middle: &str, right: &str| {
            let lines: Vec<String> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
            format!("{left}{}{right}", lines.join(middle))
        };
        let row = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> = cells
                .zip(&widths)
                .map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(columns(cell)))))
                .collect();
            format!("│ {} │", cells.join(" │ "))
        };
        let mut out = rule("┌", "┬", "┐");
        out.push('\n');
        out += &row(&mut self.heads.iter().map(String::as_str));
        out.push('\n');
        out += &rule("├", "┼", "┤");
        out.push('\n');
        for index in 0..self.rows {
            if out.len() > most {
                return out;
            }
            out += &row(&mut self.cells.iter().map(|cells| cells.get(&index).map_or("", String::as_str)));
            out.push('\n');
        }
        out += &rule("└", "┴", "┘");
        if self.left_out > 0 {
            out += &format!("\n... {} more row{}", self.left_out, plural(self.left_out));
        }
        out
    }
}

impl<'js> Inspector<'_, 'js> {
    fn column_names(&mut self, filter: &Object<'js>) -> Result<Vec<String>> {
        let length = self.look.array_length(filter)?;
        let mut names = Vec::new();
        for index in 0..length.min(MOST_CELLS) {
            self.step()?;
            let name = self.look.read(filter, index)?.value();
            names.extend(name.map(|name| self.name_text(&name)).transpose()?.flatten());
        }
        Ok(names)
    }

    /// What stands in a cell.
    fn cell(&mut self, value: &Value<'js>) -> Result<String> {
        let mut depth = 0;
        if let Some(object) = value.as_object()
            && let Some(object) = self.without_proxies(object)?
            && !object.as_value().is_function()
            && !object.as_value().is_array()
            && self.look.typed_tag(&object)?.is_empty()
            && object.own_keys::<rquickjs::Atom>(Filter::default()).take(3).count() > 2
        {
            depth = -1;
        }
        self.apart(Options { depth, most_entries: 3, break_length: usize::MAX, ..Options::default() }, value)
    }

    fn table_of(&mut self, object: &Object<'js>, filter: Option<&[String]>) -> Result<Table> {
        if let Some(pending) = self.look.pending(object, MOST_CELLS / 3) {
            return self.table_of_iterator(pending);
        }
        let value = object.as_value();
        let is_special = value.is_array() || value.is_error() || value.is_promise();
        let brand = if is_special { String::new() } else { self.look.brand(object, "")? };
        match brand.as_str() {
            "Map" => self.table_of_pairs(object),
            "Set" => self.table_of_members(object),
            _ => self.table_of_rows(object, filter),
        }
    }

    fn table_of_pairs(&mut self, map: &Object<'js>) -> Result<Table> {
        let mut table = Table::with_heads(&[ITERATION, KEY, VALUES]);
        let walk = self.look.walk(map, "Map")?;
        while table.rows < MOST_CELLS / 3 && !self.is_full() {
            let Some((key, Some(value))) = walk.next(&self.look)? else { break };
            let cells = vec![table.rows.to_string(), self.cell(&key)?, self.cell(&value)?];
            table.push_row(cells);
        }
        table.left_out = self.look.count(map, "Map")?.saturating_sub(table.rows);
        Ok(table)
    }

    fn table_of_members(&mut self, set: &Object<'js>) -> Result<Table> {
        let mut table = Table::with_heads(&[ITERATION, VALUES]);
        let walk = self.look.walk(set, "Set")?;
        while table.rows < MOST_CELLS / 2 && !self.is_full() {
            let Some((member, _)) = walk.next(&self.look)? else { break };
            self.push_member(&mut table, &member)?;
        }
        table.left_out = self.look.count(set, "Set")?.saturating_sub(table.rows);
        Ok(table)
    }

    fn table_of_iterator(&mut self, pending: Pending<'js>) -> Result<Table> {
        let is_keyed = pending.is_of_map && pending.gives == Gives::Pairs;
        let mut table = Table::with_heads(if is_keyed { &[ITERATION, KEY, VALUES] } else { &[ITERATION, VALUES] });
        table.left_out = pending.more;
        for (key, value) in pending.items {
            if self.is_full() {
                table.left_out += 1;
                continue;
            }
            match pending.gives {
                _ if is_keyed => {
                    let cells = vec![table.rows.to_string(), self.cell(&key)?, self.cell(&value)?];
                    table.push_row(cells);
                }
                Gives::Keys => self.push_member(&mut table, &key)?,
                Gives::Values => self.push_member(&mut table, &value)?,
                // Those of a Set are two members each.
                Gives::Pairs => {
                    self.push_member(&mut table, &key)?;
                    self.push_member(&mut table, &value)?;
                }
            }
        }
        Ok(table)
    }

    fn push_member(&mut self, table: &mut Table, member: &Value<'js>) -> Result<()> {
        let cells = vec![table.rows.to_string(), self.cell(member)?];
        table.push_row(cells);
        Ok(())
    }

    fn table_of_rows(&mut self, object: &Object<'js>, filter: Option<&[String]>) -> Result<Table> {
        let mut table = Table::with_heads(&[INDEX]);
        let mut values = BTreeMap::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let (keys, more) = self.listed_keys(object, MOST_CELLS)?;
        table.left_out = more;
        for key in keys {
            self.step()?;
            // What is beyond the cap on text would be cut off.
            if table.is_full() || self.is_full() {
                table.left_out += 1;
                continue;
            }
            let row = table.rows;
            let label = self.raw_string(&key)?;
            table.cells[0].insert(row, label);
            table.rows += 1;
            let slot = self.look.read(object, key)?;
            let item = slot.clone().value();
            let nested = match item.as_ref().and_then(Value::as_object) {
                Some(nested) => self.without_proxies(nested)?,
                None => None,
            };
            if nested.is_none() && filter.is_none() {
                let text = match &item {
                    Some(item) => self.cell(item)?,
                    None => self.slot_text(slot, 0)?,
                };
                values.insert(row, text);
                continue;
            }
            let names = match (filter, &nested) {
                (Some(filter), _) => filter.to_vec(),
                (None, Some(nested)) => self.own_names(nested)?,
                (None, None) => Vec::new(),
            };
            for name in names {
                self.step()?;
                if self.is_full() {
                    break;
                }
                let slot = match &nested {
                    Some(nested) => self.look.read(nested, name.as_str())?,
                    None => Slot::Absent,
                };
                let text = match slot {
                    Slot::Absent => String::new(),
                    Slot::Value(value) => self.cell(&value)?,
                    slot => self.slot_text(slot, 0)?,
                };
                let place = *places.entry(name.clone()).or_insert_with(|| {
                    table.heads.push(name);
                    table.cells.push(BTreeMap::new());
                    table.heads.len() - 1
                });
                table.cells[place].insert(row, text);
            }
        }
        table.put_indices_first();
        if !values.is_empty() {
            table.heads.push(VALUES.to_owned());
            table.cells.push(values);
        }
        Ok(table)
    }

    fn own_names(&mut self, object: &Object<'js>) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for key in self.listed_keys(object, MOST_COLUMNS)?.0 {
            names.push(self.raw_string(&key)?);
        }
        Ok(names)
    }
}

impl Table {
    /// Columns named by indices come first, in their order, as properties of an object do.
    fn put_indices_first(&mut self) {
        let index =
            |name: &str| name.parse::<u32>().ok().filter(|index| *index != u32::MAX && index.to_string() == *name);
        let mut order: Vec<usize> = (1..self.heads.len()).collect();
        order.sort_by_key(|place| index(&self.heads[*place]).map_or((1, 0), |index| (0, index)));
        order.insert(0, 0);
        self.heads = order.iter().map(|place| self.heads[*place].clone()).collect();
        self.cells = order.iter().map(|place| std::mem::take(&mut self.cells[*place])).collect();
    }
}
