//! What it costs to get a run's text ready: parse, resolve, and rewrite or compile. `cargo bench --bench source`.

mod measure;

use std::fmt::Write as _;
use std::hint::black_box;

use measure::measure;
use runpen::worker::bench::{Console, compile};

/// A script of about this many bytes, with something of everything.
fn script(bytes: usize) -> String {
    let mut text = String::new();
    for number in 0.. {
        if text.len() >= bytes {
            break;
        }
        write!(
            text,
            "const value{number} = [1, 2, 3].map(x => x * {number});\n\
             function add{number}(a, b = {{c: 1}}) {{\n  if (a > b.c) {{ return `${{a}}` + b }}\n  for (const k of value{number}) console.log(k);\n  return {{a, b, ...b}};\n}}\n\
             class Shape{number} extends Object {{ #side = 2; get area() {{ return this.#side ** 2 }} static make() {{ return new this() }} }}\n"
        )
        .expect("a string takes everything");
    }
    text
}

fn main() {
    let large = script(100 << 10);
    for (name, text, rounds) in [
        ("1+1", "1 + 1", 20_000),
        ("a declaration", "const x = [1, 2, 3].map(n => n * 2)", 20_000),
        ("an object", "{a: 1, b: {c: 2}}", 20_000),
        ("await", "const r = await Promise.resolve(1); r", 20_000),
        ("return", "return {message: 'OK', value: 42}", 20_000),
        ("100 KB", large.as_str(), 100),
    ] {
        measure(&format!("console, {name}"), rounds, || Console::default().plan(black_box(text)));
    }
    let mut again = Console::default();
    again.plan("let x = 1; const c = 2");
    measure("console, names declared again", 20_000, || again.plan(black_box("let x = 2, y = x; const c = x + y; c")));
    let mut again = Console::default();
    again.plan(&large);
    measure("console, 100 KB declared again", 100, || again.plan(black_box(&large)));
    measure("TypeScript, 1+1", 20_000, || compile(black_box("1 + 1")));
    measure("TypeScript, a declaration", 20_000, || compile(black_box("let x: number = 1; enum E { A }")));
    measure("TypeScript, 100 KB", 50, || compile(black_box(&large)));
}
