//! Texts that nest as deeply as the largest code allows, in every way the languages have. None may cost a session its state, whether
//! it is run, asked about or completed in.

use runpen::ipc::{Answer, Lang, Mode, Query, RunRequest};
use runpen::outcome::Outcome;
use runpen::sandbox::DEFAULT_CODE_BYTES;

use crate::support::worker_driver::{Worker, request};

/// What opens a level, what stands in the middle, what closes a level.
type Family = (&'static str, &'static str, &'static str);

const EXPRESSIONS: [Family; 66] = [
    ("(", "1", ")"),
    ("[", "1", "]"),
    ("{", "1", "}"),
    ("({a:", "1", "})"),
    ("({[", "1", "]:1})"),
    ("({a(){", "1", "}})"),
    ("({get a(){", "1", "}})"),
    ("({...", "1", "})"),
    ("[...", "1", "]"),
    ("f(", "1", ")"),
    ("f(...", "1", ")"),
    ("a[", "1", "]"),
    ("a?.[", "1", "]"),
    ("a?.(", "1", ")"),
    ("`${", "1", "}`"),
    ("a`${", "1", "}`"),
    ("!", "1", ""),
    ("~", "1", ""),
    ("- ", "1", ""),
    ("+ ", "1", ""),
    ("typeof ", "1", ""),
    ("void ", "1", ""),
    ("delete ", "a.b", ""),
    ("await ", "1", ""),
    ("++", "a", ""),
    ("async()=>await ", "1", ""),
    ("function*f(){yield ", "1", "}"),
    ("new ", "f", ""),
    ("new (", "f", ")"),
    ("new f(", "1", ")"),
    ("x=>", "1", ""),
    ("x=>{", "1", "}"),
    ("(x)=>", "1", ""),
    ("(a=", "1", ")=>1"),
    ("({a=", "1", "})=>1"),
    ("([a=", "1", "])=>1"),
    ("async x=>", "1", ""),
    ("async (x)=>{", "1", "}"),
    ("async(", "1", ")"),
    ("function(){", "1", "}"),
    ("(function(){", "1", "})"),
    ("(function f(a=", "1", "){})"),
    ("a=", "1", ""),
    ("a+=", "1", ""),
    ("a??=", "1", ""),
    ("a?b:", "1", ""),
    ("a?", "1", ":b"),
    ("2**", "1", ""),
    ("1+(", "1", ")"),
    ("a,(", "1", ")"),
    ("(1,", "1", ")"),
    ("a||(", "1", ")"),
    ("a??(", "1", ")"),
    ("[a=", "1", "]=1"),
    ("let[a=", "1", "]=1;"),
    ("import(", "'a'", ")"),
    ("class A extends ", "B", "{}"),
    ("(class extends ", "B", "{})"),
    ("(class{[", "1", "](){}})"),
    ("(class{a=", "1", "})"),
    ("(class{static{", "1", "}})"),
    ("(class{a(){", "1", "}})"),
    ("(class{#a=", "1", "})"),
    ("@(", "a", ")class A{}"),
    ("@(class{@", "a", " b})class A{};"),
    ("[[[({a:", "1", "})]]]"),
];

const STATEMENTS: [Family; 36] = [
    ("{", ";", "}"),
    ("{;", ";", "}"),
    ("a:", ";", ""),
    ("if(1)", ";", ""),
    ("if(1)\n", ";", ""),
    ("if(1){", ";", "}"),
    ("if(1);else ", ";", ""),
    ("if(0){}else ", ";", ""),
    ("if(0){}\nelse ", ";", ""),
    ("if(1)if(1);else ", ";", ""),
    ("for(;;)", ";", ""),
    ("for(;0;)\n", ";", ""),
    ("for(a of b)", ";", ""),
    ("for(a in b)", ";", ""),
    ("for(;0;){", ";", "}"),
    ("for(let a=", "1", ";0;);"),
    ("while(0)", ";", ""),
    ("while(0)\n", ";", ""),
    ("while(0){", ";", "}"),
    ("with(a)", ";", ""),
    ("with(a)\n", ";", ""),
    ("do ", ";", " while(0)"),
    ("do{", ";", "}while(0)"),
    ("try{", ";", "}catch{}"),
    ("try{}catch{", ";", "}"),
    ("try{}finally{", ";", "}"),
    ("switch(1){case 1:", ";", "}"),
    ("switch(1){default:", ";", "}"),
    ("switch(", "1", "){}"),
    ("function f(){", ";", "}"),
    ("async function f(){", ";", "}"),
    ("function*f(){", ";", "}"),
    ("return ()=>{", ";", "}"),
    ("throw ()=>{", ";", "}"),
    ("class A{a(){", ";", "}}"),
    ("class A{static{", ";", "}}"),
];

/// What a scanner of text takes for something else, in front of levels.
const DISGUISED: [Family; 14] = [
    ("//\r(", "1", ")"),
    ("//\u{2028}[", "1", "]"),
    ("//\u{2029}[", "1", "]"),
    ("/*\n*/(", "1", ")"),
    ("if(1)/'/;(", "1", ")"),
    ("if(1)/`/,[", "1", "]"),
    ("(1)/2/(", "1", ")"),
    ("/[/]/,[", "1", "]"),
    ("/[[']]/v,[", "1", "]"),
    ("/\\//,(", "1", ")"),
    ("'\\\n',[", "1", "]"),
    ("<!--'\n[", "1", "]"),
    ("a++/'/,[", "1", "]/'/1"),
    ("}/'/;{", "1", ""),
];

const REGEXPS: [Family; 6] =
    [("(", "a", ")"), ("(?:", "a", ")"), ("(?=", "a", ")"), ("(?<!", "a", ")"), ("a|(", "a", ")*"), ("[", "a", "]")];

const TYPES: [Family; 34] = [
    ("A<", "1", ">"),
    ("A<A,", "1", ">"),
    ("(", "1", ")"),
    ("[", "1", "]"),
    ("[a:", "1", "]"),
    ("[...", "1", "]"),
    ("{a:", "1", "}"),
    ("{a(b:", "1", "):1}"),
    ("{[a:string]:", "1", "}"),
    ("{[K in ", "1", "]:1}"),
    ("{[K in A]:", "1", "}"),
    ("{readonly [K in A]?:", "1", "}"),
    ("keyof ", "1", ""),
    ("readonly ", "1[]", ""),
    ("unique ", "symbol", ""),
    ("typeof a<", "1", ">"),
    ("A extends infer ", "B", "?1:2"),
    ("A extends B?", "1", ":2"),
    ("A extends B?1:", "1", ""),
    ("A extends ", "1", "?1:2"),
    ("()=>", "1", ""),
    ("(a:", "1", ")=>1"),
    ("(a?:", "1", ")=>1"),
    ("new()=>", "1", ""),
    ("abstract new()=>", "1", ""),
    ("<T>()=>", "1", ""),
    ("<T extends ", "1", ">()=>1"),
    ("<T=", "1", ">()=>1"),
    ("`${", "1", "}`"),
    ("A[", "1", "]"),
    ("1|(", "1", ")"),
    ("1&(", "1", ")"),
    ("import('a').A<", "1", ">"),
    ("asserts a is ", "1", ""),
];

/// Of TypeScript, besides types.
const TYPED: [Family; 16] = [
    ("a<", "1", ">"),
    ("a<b<", "1", ""),
    ("a<b>(", "1", ")"),
    ("f<A<", "1", ">>()"),
    ("a<(", "1", ")>"),
    ("<A>", "1", ""),
    ("<T>(a:", "1", ")=>1"),
    ("<T,>(", "1", ")=>1"),
    ("(a:b)=>", "1", ""),
    ("(a):b=>(", "1", ")"),
    ("a?(b):c=>(", "1", ")"),
    ("a!", "", ""),
    ("namespace A{", ";", "}"),
    ("module A.B{", ";", "}"),
    ("enum A{a=", "1", "}"),
    ("abstract class A<T=", "1", ">{}"),
];

/// Chains, which are as deep as they are long for whoever walks through them.
const CHAINS: [(&str, &str); 28] = [
    ("a", ".a"),
    ("a", "?.a"),
    ("a", "[1]"),
    ("a", "?.[1]"),
    ("a", "()"),
    ("a", "?.()"),
    ("a", ".a()"),
    ("a", "`x`"),
    ("a", "+a"),
    ("a", "*a"),
    ("a", "<a"),
    ("a", ">a"),
    ("a", "&&a"),
    ("a", "||a"),
    ("a", "??a"),
    ("a", "&a"),
    ("a", " in a"),
    ("a", " instanceof a"),
    ("a", "\n.a"),
    ("a", "**a"),
    ("a", ",a"),
    ("a", "!"),
    ("a", "!.a"),
    ("a", " as a"),
    ("a", " satisfies a"),
    ("a", "<b>"),
    ("let a:b", "[]"),
    ("let a:b", "[1]"),
];

/// The text of a family at its longest: with what closes it, and without.
fn texts((open, middle, close): Family, start: &str, end: &str) -> [String; 2] {
    let room = DEFAULT_CODE_BYTES as usize - start.len() - middle.len() - end.len();
    let (closed, open_only) = (room / (open.len() + close.len()), room / open.len());
    [
        [start, &open.repeat(closed), middle, &close.repeat(closed), end].concat(),
        [start, &open.repeat(open_only), middle].concat(),
    ]
}

#[track_caller]
fn check_state(worker: &mut Worker, what: &str) {
    let run = worker.begin(RunRequest { timeout_ms: 20_000, ..request("earlier") });
    match worker.try_finish(run) {
        Some(finished) => assert_eq!(finished.text(), "42", "{what}"),
        None => panic!("{what}: {:?}", worker.death()),
    }
}

/// Runs a text in every way, asks about it, and completes in it.
fn check(worker: &mut Worker, what: &str, code: &str) {
    assert!(code.len() as u64 <= DEFAULT_CODE_BYTES);
    for lang in [Lang::Js, Lang::Ts] {
        for mode in [Mode::Repl, Mode::Module, Mode::Script] {
            let run = worker.begin(RunRequest { lang, mode, timeout_ms: 10_000, ..request(code) });
            let Some(finished) = worker.try_finish(run) else {
                panic!("{what}, {lang:?}, {mode:?}: {:?}", worker.death());
            };
            let outcome = finished.end.outcome;
            assert!(!finished.end.engine_replaced, "{what}, {lang:?}, {mode:?}: {outcome:?}");
            // Some are programs that never end.
            assert!(
                matches!(outcome, Outcome::Ok | Outcome::Error | Outcome::Timeout | Outcome::Memory),
                "{what}: {outcome:?}"
            );
        }
        let answer = worker.ask(Query::IsComplete { code: code.to_owned(), lang });
        assert!(matches!(answer, Answer::Completeness(_) | Answer::TooSlow), "{what}: {answer:?}");
    }
    let cursor = u32::try_from(code.encode_utf16().count()).unwrap();
    let answer = worker.ask(Query::Complete { code: code.to_owned(), cursor });
    assert!(matches!(answer, Answer::Completions(_) | Answer::TooSlow), "{what}: {answer:?}");
    check_state(worker, what);
}

fn worker_with_state() -> Worker {
    let mut worker = Worker::start();
    worker.run("let earlier = 42");
    worker
}

fn check_all(families: &[Family], start: &str, end: &str) {
    let mut worker = worker_with_state();
    for family in families {
        let what = format!("{start}{}{end}", family.0);
        for code in texts(*family, start, end) {
            check(&mut worker, &what, &code);
        }
    }
}

#[test]
fn expressions_of_any_depth_cost_nobody_his_state() {
    check_all(&EXPRESSIONS, "", "");
}

#[test]
fn statements_of_any_depth_cost_nobody_his_state() {
    check_all(&STATEMENTS, "", "");
}

#[test]
fn nesting_in_disguise_costs_nobody_his_state() {
    check_all(&DISGUISED, "", "");
}

#[test]
fn regular_expressions_of_any_depth_cost_nobody_his_state() {
    for flags in ["/", "/u", "/v"] {
        check_all(&REGEXPS, "/", flags);
    }
}

#[test]
fn types_of_any_depth_cost_nobody_his_state() {
    check_all(&TYPES, "type A=", "");
}

#[test]
fn typescript_of_any_depth_costs_nobody_his_state() {
    check_all(&TYPED, "", "");
}

#[test]
fn chains_of_any_length_cost_nobody_his_state() {
    let mut worker = worker_with_state();
    for (start, link) in CHAINS {
        let links = (DEFAULT_CODE_BYTES as usize - start.len()) / link.len();
        check(&mut worker, link, &[start, &link.repeat(links)].concat());
    }
}
