//! Where no name is declared again, a console evaluates a program as a script does: shown by running many programs both ways.

use std::collections::BTreeSet;

use runpen::ipc::{Mode, RunRequest};
use runpen::outcome::Outcome;
use serde::Deserialize;

use crate::support::worker_driver::{Worker, request};

const CORPUS: &str = include_str!("../hostile/corpus.json");

/// Programs that are made.
const PROGRAMS: u64 = 1200;

/// A small generator of numbers: the same programs every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len() as u64) as usize]
    }
}

/// Makes programs: statements whose holes are filled with expressions and statements.
struct Maker {
    random: Random,
    names: u64,
}

impl Maker {
    fn fresh(&mut self) -> String {
        self.names += 1;
        format!("n{}", self.names)
    }

    fn known(&mut self) -> String {
        let number = 1 + self.random.below(self.names.max(1));
        format!("n{number}")
    }

    /// Fills `$e` with expressions, `$s` with statements, `$n` with a fresh name, `$m` with that name again, `$k` with some name.
    fn fill(&mut self, template: &str, depth: u64) -> String {
        let mut out = String::new();
        let mut name = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('$') {
            out += &rest[..at];
            match rest.as_bytes().get(at + 1) {
                Some(b'e') => out += &self.expression(depth),
                Some(b's') => out += &self.statement(depth),
                Some(b'n') => {
                    name = self.fresh();
                    out += &name;
                }
                Some(b'm') => out += &name,
                Some(b'k') => out += &self.known(),
                _ => out.push('$'),
            }
            rest = &rest[at + 2..];
        }
        out + rest
    }

    fn expression(&mut self, depth: u64) -> String {
        if depth == 0 {
            return match self.random.below(12) {
                0..3 => self.known(),
                3 => "typeof ".to_owned() + &self.known(),
                _ => self.random.one(LEAVES).to_owned(),
            };
        }
        let template = self.random.one(EXPRESSIONS);
        self.fill(template, depth - 1)
    }

    fn statement(&mut self, depth: u64) -> String {
        let template = if depth == 0 { "$e;" } else { self.random.one(STATEMENTS) };
        self.fill(template, depth.saturating_sub(1))
    }

    fn program(&mut self) -> String {
        let mut out = String::new();
        if self.random.below(12) == 0 {
            out += "'use strict';\n";
        }
        for _ in 0..=self.random.below(5) {
            let depth = 1 + self.random.below(3);
            let statement = self.statement(depth);
            out += &statement;
            out += self.random.one(&["\n", "\n", "; ", "\n// note\n", " /* c */\n"]);
        }
        out
    }
}

const LEAVES: &[&str] = &[
    "0",
    "1",
    "-7",
    "2.5",
    "'a'",
    "\"b\"",
    "`t`",
    "true",
    "null",
    "undefined",
    "[]",
    "({})",
    "NaN",
    "10n",
    "/x+/g",
    "this",
    "[1, 2, 3]",
    "({a: 1, b: {c: 2}})",
    "'\u{1d4b3}'",
    "new Date(0)",
    "Symbol.iterator",
    "globalThis === this",
    "missing",
];

const EXPRESSIONS: &[&str] = &[
    "($e) + ($e)",
    "($e) * ($e)",
    "($e) === ($e)",
    "($e) < ($e)",
    "($e) && ($e)",
    "($e) || ($e)",
    "($e) ?? ($e)",
    "!($e)",
    "-($e)",
    "typeof ($e)",
    "void ($e)",
    "($e, $e)",
    "($e) ? ($e) : ($e)",
    "[$e, $e]",
    "[...[$e, $e]]",
    "({p: $e, q: $e})",
    "({...($e)})",
    "({[$e]: 1})",
    "({get g() { return $e }}).g",
    "({set s(v) { console.log(v) }}).s = $e",
    "({m(a) { return a }}).m($e)",
    "(a => a)($e)",
    "(($e), (a, b = $e) => [a, b])(1)",
    "(function () { return $e })()",
    "(function f(n) { return n > 0 ? f(n - 1) + 1 : $e })(3)",
    "(() => { $s return $e })()",
    "new (class { x = $e })().x",
    "(class { static m() { return $e } }).m()",
    "new (class A { #p = $e; get() { return this.#p } })().get()",
    "[...(function* () { yield $e; yield $e })()]",
    "`<${$e}>`",
    "String.raw`a${$e}\\n`",
    "[1, 2, 3].map(x => [x, $e])",
    "Object.keys($e ?? 0)",
    "JSON.stringify($e)",
    "eval('1 + 1')",
    "eval('var e = 3; e')",
    "(0, eval)('typeof $k')",
    "new Function('a', 'return a')($e)",
    "($e)?.a?.b",
    "($e)?.[0]",
    "delete ({a: $e}).a",
    "'a' in ({a: $e})",
    "($e) instanceof Object",
    "[$e].length",
    "Array.from({length: 3}, (_, i) => i)",
    "($e)?.toString?.()",
    "Math.max(1, Number($e))",
    "(x = $e)",
    "(x += 1)",
    "(() => this)() === this",
    "(function () { return typeof this })()",
    "new Map([[1, $e]])",
    "new Set([$e])",
    "(([a, {b = $e} = {}]) => [a, b])([1])",
    "(({a, ...r}) => r)({a: 1, b: $e})",
    "(function () { return arguments.length })($e)",
    "($e) ** 2",
    "1 << 3 | ($e)",
    "(() => ({then: 1}))()",
    "await_",
    "(function () { 'use strict'; return this })()",
    "async () => $e",
    "(function* () {})()",
    "Promise.resolve($e)",
];

const STATEMENTS: &[&str] = &[
    "$e;",
    "$e",
    "var $n = $e;",
    "let $n = $e;",
    "const $n = $e;",
    "let $n; $m = $e;",
    "var x = $e, $n;",
    "const [$n, $n = $e] = [$e];",
    "const {a: $n, b: $n = $e, ...$n} = {a: $e, c: 1};",
    "let {$n} = {$m: $e}; $m;",
    "function $n(a, b = $e) { return [a, b] } $m($e)",
    "function $n() { return typeof $m } $m()",
    "$m2(); function $m2() { return $e }",
    "class $n { constructor() { this.v = $e } m() { return this.v } static s = $e } new $m().m()",
    "class $n extends Array { get z() { return $e } } new $m().z",
    "function* $n() { const r = yield $e; return r } [...$m()]",
    "if ($e) { $s } else { $s }",
    "if ($e) $e; else $e",
    "for (let i = 0; i < 3; i++) { $s }",
    "for (var i = 0; i < 2; i++) $e;",
    "for (const x of [1, 2]) { $s }",
    "for (const k in {a: 1, b: 2}) { console.log(k, $e) }",
    "for (var w of [$e]) w",
    "let $n = 0; while ($m < 2) { $m++; $s }",
    "do { $s } while (false)",
    "{ $s $s }",
    "{ let $n = $e; $m }",
    "{ function $n() { return 1 } }",
    "switch ($e) { case 1: $s break; default: $s }",
    "switch (1) { case 1: $e; case 2: $e }",
    "try { $s } catch (e) { $s } finally { $s }",
    "try { throw $e } catch { $e }",
    "try { throw new Error('x') } catch ({message}) { message }",
    "throw $e;",
    "throw new TypeError('t' + ($e))",
    "l: for (;;) { $s break l }",
    "l: { $s break l; $s }",
    "outer: for (const a of [1, 2]) { for (const b of [1]) { if (a) continue outer } }",
    "console.log($e, $e);",
    "console.error('e', $e);",
    ";",
    "debugger;",
    "x = $e;",
    "var { length } = 'abc'; length",
    "with ({q: $e}) { q }",
    "Object.defineProperty(globalThis, 'prop', {get() { return $e }, configurable: true}); prop",
    "delete globalThis.x",
    "const $n = () => $m; $m.name",
    "let $n = function () {}; $m.name",
    "var await_ = $e;",
    "$k = $e;",
    "$k;",
    "setTimeout(() => console.log($e), 0);",
    "queueMicrotask(() => console.log('job'));",
    "new $k",
    "$k()",
    "use; let use = 1",
];

/// What a program came to, in words.
fn outcome(worker: &mut Worker, mode: Mode, code: &str) -> String {
    let run = worker.begin(RunRequest { mode, timeout_ms: 20_000, ..request(code) });
    let Some(finished) = worker.try_finish(run) else {
        *worker = Worker::start();
        return "died".into();
    };
    let lines: Vec<(String, String)> =
        finished.entries.iter().map(|entry| (format!("{:?}", entry.level), entry.text.clone())).collect();
    let end = finished.end;
    if end.outcome == Outcome::Timeout {
        // What it has said by then is a matter of luck.
        return "died".into();
    }
    format!("{:?} {:?} {lines:?} {:?}", end.outcome, end.value, end.error)
}

/// What differs from worker to worker: the number of a run, and the time of the engine's birth.
fn without_numbers(shown: &str) -> String {
    let mut out = shown.to_owned();
    for (word, instead) in [("run-", "run"), ("timeOrigin: ", "timeOrigin")] {
        let mut parts = out.split(word);
        let mut stripped = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            stripped += instead;
            stripped += part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        }
        out = stripped;
    }
    out
}

/// Whether a console means something else by this, and may: a top-level return or await, braces at the start.
fn is_excepted(code: &str) -> bool {
    let start = code.trim_start();
    // And a clock never says the same thing twice.
    start.starts_with('{') || code.contains("await ") || code.starts_with("return") || code.contains("performance.now")
}

/// A syntax error is described by the parser in one mode and by the engine in the other.
fn is_syntax_error(shown: &str) -> bool {
    shown.contains("name: \"SyntaxError\"")
}

#[derive(Deserialize)]
struct Snippet {
    code: String,
    outcomes: Vec<String>,
}

#[test]
fn without_redeclarations_a_console_gives_what_a_script_gives() {
    let mut maker = Maker { random: Random(0x9e37_79b9_7f4a_7c15), names: 0 };
    let mut programs: Vec<String> = (0..PROGRAMS)
        .map(|_| {
            maker.names = 0;
            maker.program()
        })
        .collect();
    // What of the hostile corpus ends by itself.
    let corpus: Vec<Snippet> = serde_json::from_str(CORPUS).expect("the corpus is JSON");
    programs.extend(corpus.into_iter().filter(|one| one.outcomes == ["ok"]).map(|one| one.code));
    let distinct: BTreeSet<&String> = programs.iter().collect();
    assert!(distinct.len() > 1000, "only {} distinct programs", distinct.len());
    let (mut compared, mut excepted, mut failing) = (0, 0, Vec::new());
    let (mut console, mut script) = (Worker::start(), Worker::start());
    for (number, code) in (1..).zip(&programs) {
        if is_excepted(code) {
            excepted += 1;
            continue;
        }
        for worker in [&mut console, &mut script] {
            worker.prepare_with(number, crate::support::worker_driver::settings());
        }
        let (one, other) = (
            without_numbers(&outcome(&mut console, Mode::Repl, code)),
            without_numbers(&outcome(&mut script, Mode::Script, code)),
        );
        compared += 1;
        if one != other && !(is_syntax_error(&one) && is_syntax_error(&other)) {
            let part = |shown: &str| shown.chars().take(2000).collect::<String>();
            failing.push(format!("{code}\n  console: {}\n  script:  {}", part(&one), part(&other)));
        }
    }
    assert!(
        failing.is_empty(),
        "{} of {compared} differ:\n{}",
        failing.len(),
        failing[..failing.len().min(10)].join("\n\n")
    );
    assert!(compared >= 1000 && excepted < compared / 5, "{compared} compared, {excepted} excepted");
}
