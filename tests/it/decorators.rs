//! Decorators in their standard form, and `accessor` fields: what they are given, when they run, and what becomes of what they
//! return. The engine knows neither; what is expected here is what the standard says.

use runpen::ipc::{ErrorInfo, Lang, Mode, RunRequest, SourceFile};
use runpen::outcome::Outcome;

use crate::support::worker_driver::{Worker, request};

const U: &str = "undefined";

fn typed(code: &str) -> RunRequest {
    RunRequest { lang: Lang::Ts, ..request(code) }
}

/// Runs a text in every way that it may be run in: both languages, in a console and as a module.
#[track_caller]
fn gives(code: &str, expected: &str) {
    for lang in [Lang::Js, Lang::Ts] {
        let console = RunRequest { lang, ..request(code) };
        assert_eq!(Worker::start().run_request(console).shown(), expected, "{lang:?} in a console: {code}");
        // The value of a module is what it exports: here, what comes behind the last semicolon.
        let (before, last) = code.rsplit_once([';']).expect("a text that ends with its value");
        let module = RunRequest { mode: Mode::Module, lang, ..request(&format!("{before}; export default {last}")) };
        assert_eq!(Worker::start().run_request(module).shown(), expected, "{lang:?} as a module: {code}");
    }
}

#[track_caller]
fn session(lines: &[(&str, &str)]) {
    for lang in [Lang::Js, Lang::Ts] {
        let mut worker = Worker::start();
        for (code, expected) in lines {
            let request = RunRequest { lang, ..request(code) };
            assert_eq!(worker.run_request(request).shown(), *expected, "{lang:?}: {code}\nin {lines:#?}");
        }
    }
}

#[track_caller]
fn failure(request: RunRequest) -> ErrorInfo {
    let finished = Worker::start().run_request(request);
    assert_eq!(finished.end.outcome, Outcome::Error, "{:?}", finished.end);
    finished.end.error.expect("an error says what it is")
}

#[test]
fn a_method_decorator_replaces_the_method() {
    gives(
        "function twice(f, c) { return function (...a) { return f.apply(this, a) * 2 } }
        class A { n = 3; @twice m(x) { return this.n + x } }; new A().m(1)",
        "8",
    );
    gives("const keep = () => {}; class A { @keep m() { return 1 } }; [new A().m(), A.prototype.m.name]", "[ 1, 'm' ]");
    gives(
        "const keep = () => {}; class A { @keep m() {} }; JSON.stringify(Object.getOwnPropertyDescriptor(A.prototype, 'm'))",
        "'{\"writable\":true,\"enumerable\":false,\"configurable\":true}'",
    );
}

#[test]
fn getters_and_setters_are_decorated_each_for_itself() {
    gives(
        "const log = []; const d = (f, c) => { log.push(c.kind); return function (v) { log.push(c.name); return f.call(this, v) } };
        class A { #x = 1; @d get x() { return this.#x } @d set x(v) { this.#x = v } }; const a = new A; a.x = 5; log.push(a.x); log.join()",
        "'getter,setter,x,x,5'",
    );
}

#[test]
fn initialisers_of_fields_are_chained_and_the_outermost_comes_first() {
    gives(
        "const add = s => () => function (v) { return v + s }; class A { @add('a') @add('b') x = 'x' }; new A().x",
        "'xab'",
    );
    gives(
        "const d = () => function (v) { return [this.a, v] }; class A { a = 1; @d x; @d y = this.a + 1 }; const { x, y } = new A; [x, y]",
        "[ [ 1, undefined ], [ 1, 2 ] ]",
    );
    gives(
        "const d = () => {}; class A { @d f = () => 1; @d static ['g' + 1] = function () {} }; [new A().f.name, A.g1.name]",
        "[ 'f', 'g1' ]",
    );
}

#[test]
fn an_accessor_is_a_getter_and_a_setter_with_a_private_place() {
    gives(
        "class A { accessor x = 1; static accessor y = 2; accessor z; accessor ['c' + 1] = 3 }; const a = new A; a.x++; A.y++;
        [a.x, A.y, a.z, a.c1, Object.keys(a).length, typeof Object.getOwnPropertyDescriptor(A.prototype, 'x').set]",
        "[ 2, 3, undefined, 3, 0, 'function' ]",
    );
    gives(
        "const d = ({ get, set }, c) => ({ get() { return get.call(this) * 10 }, set(v) { set.call(this, v + 1) }, init(v) { return v + 5 } });
        class A { @d accessor x = 1; @d static accessor y = 2 }; const a = new A, before = a.x; a.x = 2; [before, a.x, A.y]",
        "[ 60, 30, 70 ]",
    );
    gives("class A { accessor #x = 1; bump() { return ++this.#x } }; new A().bump()", "2");
    gives(
        "const accessor = 1; class A { accessor = 2; static accessor() { return 3 } }; [accessor, new A().accessor, A.accessor()]",
        "[ 1, 2, 3 ]",
    );
}

#[test]
fn a_class_decorator_replaces_the_class_and_its_name_inside() {
    gives(
        "const sub = (C, { kind, name }) => class Sub extends C { by = kind + name };
        @sub class A { static make() { return new A() } static self = A; static me = this }; [A.name, A.make().by, A.self === A, A.me === A]",
        "[ 'Sub', 'classA', true, true ]",
    );
    gives(
        "const d = () => {}; @d class A { static s = A.name; static { this.t = this.s + 1 } }; [A.name, A.s, A.t]",
        "[ 'A', 'A', 'A1' ]",
    );
    gives(
        "const d = () => {}; const B = @d class {}; const C = [@d class {}][0]; const o = { k: @d class {} }; [B.name, C.name, o.k.name]",
        "[ 'B', '', 'k' ]",
    );
    gives(
        "const d = () => {}; @d class A { static f() { try { A = 1 } catch (e) { return e.name } } }; A.f()",
        "'TypeError'",
    );
    gives("const d = () => {}; class B { static v = 1 }; @d class A extends B { static v = super.v + 1 }; A.v", "2");
}

#[test]
fn decorators_are_evaluated_in_the_order_of_the_text_and_applied_innermost_first() {
    gives(
        "const log = []; const d = n => (log.push('e' + n), (v, c) => { log.push('a' + n) }); const k = n => (log.push('k' + n), 'p' + n);
        @d(1) @d(2) class A extends (log.push('h'), Object) { @d(3) @d(4) [k(1)]() {} @d(5) static x; @d(6) y; @d(7) static [k(2)]() {} @d(8) accessor z };
        log.join(' ')",
        "'e1 e2 h e3 e4 k1 e5 e6 e7 k2 e8 a7 a4 a3 a8 a5 a6 a2 a1'",
    );
}

#[test]
fn a_computed_key_is_evaluated_and_converted_once() {
    gives(
        "let n = 0; const key = { toString() { n++; return 'k' } }; const names = []; const d = (v, c) => { names.push(c.name) };
        const s = Symbol('s'); class A { @d [key]() { return 1 } @d [s] = 2; @d 1e3() {} @d 'a b'() {} @d accessor [5] = 1 };
        [n, new A().k(), new A()[s], names]",
        "[ 1, 1, 2, [ 'k', '1000', 'a b', '5', Symbol(s) ] ]",
    );
}

#[test]
fn the_context_says_what_is_decorated() {
    gives(
        "const out = []; const d = (v, c) => { out.push([c.kind, String(c.name), c.static, c.private, Object.keys(c.access ?? {}).join(), typeof v].join(' ')) };
        @d class A { @d m() {} @d static get g() { return 1 } @d set s(v) {} @d f; @d static accessor a; @d #p; @d #q() {} @d static get #r() { return 1 } };
        out.join('\\n')",
        "'getter g true false has,get function\\n' +\n  'accessor a true false has,get,set object\\n' +\n  'getter #r true true has,get function\\n' +\n  'method m false false has,get function\\n' +\n  'setter s false false has,set function\\n' +\n  'method #q false true has,get function\\n' +\n  'field f false false has,get,set undefined\\n' +\n  'field #p false true has,get,set undefined\\n' +\n  'class A    function'",
    );
}

#[test]
fn access_reaches_the_element_of_an_object() {
    gives(
        "let a; const d = (v, c) => { a = c.access }; class A { @d x = 1 }; const o = new A; a.set(o, 5); [a.has(o), a.has({}), a.get(o), o.x]",
        "[ true, false, 5, 5 ]",
    );
    gives(
        "let a; const d = (v, c) => { a = c.access }; class A { @d #x = 1; read() { return this.#x } }; const o = new A; a.set(o, 5); [a.has(o), a.has({}), a.get(o), o.read()]",
        "[ true, false, 5, 5 ]",
    );
}

#[test]
fn private_members_are_decorated_too() {
    gives(
        "const twice = f => function (...a) { return f.apply(this, a) * 2 };
        class A { n = 4; @twice #m(x) { return this.n + x } @twice get #g() { return this.n } @twice static #s() { return 3 } run() { return [this.#m(1), this.#g, A.#s()] } }; new A().run()",
        "[ 10, 8, 6 ]",
    );
    gives(
        "const inc = () => v => v + 1; const d = (v, c) => ({ init: v => v + 1, get() { return v.get.call(this) + 1 } });
        class A { @inc #x = 1; @inc static #y = 2; @d accessor #z = 3; run() { this.#z++; return [this.#x, A.#y, this.#z] } }; new A().run()",
        "[ 2, 3, 7 ]",
    );
    gives(
        "let n; class B { up() { return 1 } }; const d = (f, c) => { n = f.name }; class A extends B { @d #m() { return super.up() } go() { return this.#m() } }; [new A().go(), n]",
        "[ 1, '#m' ]",
    );
}

#[test]
fn initializers_that_are_added_run_when_their_element_is_there() {
    gives(
        "const log = []; const d = n => (v, c) => { c.addInitializer(function () { log.push(n + (this === A ? 'C' : typeof this)) }) };
        const at = n => (log.push(n), n); let A;
        A = @d('class') class A0 { @d('m') m() {} @d('f') f = at('f='); g = at('g='); @d('a') accessor a = at('a='); @d('sm') static sm() {} @d('sf') static sf = at('sf='); static t = at('t=') };
        log.push('new'); new A; log.join(' ')",
        "'smfunction sf= sffunction t= classfunction new mobject f= fobject g= a= aobject'",
    );
    gives(
        "const bound = (f, { name, addInitializer }) => { addInitializer(function () { this[name] = this[name].bind(this) }) };
        class A { v = 7; @bound m() { return this.v } }; const { m } = new A; m()",
        "7",
    );
}

#[test]
fn metadata_is_inherited() {
    gives(
        "const d = (v, c) => { c.metadata[c.name] = c.kind }; @d class A { @d x; }; class B extends A { @d m() {} };
        const a = A[Symbol.metadata], b = B[Symbol.metadata]; [Object.keys(a).join(), Object.keys(b).join(), b.x, Object.getPrototypeOf(b) === a, Object.getPrototypeOf(a)]",
        "[ 'x,A', 'm', 'field', true, null ]",
    );
}

#[test]
fn a_decorator_that_is_a_method_is_called_on_its_object() {
    gives(
        "const o = { n: 'o', d(v, c) { this.log = (this.log ?? '') + this.n + c.kind }, in: null }; o.in = o;
        @o.d @(o['d']) class A { @o.in.d m() {} }; o.log",
        "'omethodoclassoclass'",
    );
}

#[test]
fn what_a_decorator_may_not_do_is_a_type_error() {
    for class in [
        "@1 class A {}",
        "class A { @undefined m() {} }",
        "@(() => 1) class A {}",
        "class A { @(() => 1) m() {} }",
        "class A { @(() => null) get x() { return 1 } }",
        "class A { @(() => ({})) set x(v) {} }",
        "class A { @(() => 1) x }",
        "class A { @(() => 1) accessor x }",
        "class A { @(() => ({ get: 1 })) accessor x }",
        "class A { @(() => ({ init: 1 })) accessor x }",
        "let add; class A { @((v, c) => { add = c.addInitializer }) x } add(() => {})",
        "class A { @((v, c) => c.addInitializer(1)) x }",
        "@(C => class extends C {}) class A { static #p = 1 }",
    ] {
        let code = class.replacen("@1", "@(1)", 1);
        let error = failure(request(&code));
        assert_eq!(error.name, "TypeError", "{class}: {error:?}");
    }
}

#[test]
fn where_decorators_stand_they_see_what_is_around() {
    gives("const o = { f() { return class { @((v, c) => () => this.n) x } }, n: 5 }; new (o.f())().x", "5");
    gives("const d = x => (v, c) => () => x; class A { @d(await Promise.resolve(3)) x }; new A().x", "3");
    gives("const d = x => C => { C.x = x }; @d(await 4) class A {}; A.x", "4");
    gives(
        "const d = n => (v, c) => () => n; class A { @d(new (class { @d(1) x })().x + 1) y; @d(9) z = class { @d(3) w } }; const a = new A; [a.y, a.z]",
        "[ 2, 9 ]",
    );
    gives(
        "const out = []; for (const n of [1, 2]) { class A { @(() => () => n) x } out.push(() => new A().x) }; out.map(f => f())",
        "[ 1, 2 ]",
    );
    gives(
        "const d = () => () => 1; const f = (C = @d2 class { @d x }) => [C.name, new C().x]; function d2() {}; f()",
        "[ 'C', 1 ]",
    );
}

#[test]
fn how_it_is_laid_out_does_not_matter() {
    gives(
        "const d = () => {}; const e = x => d
        @d /* class */ @e(')]}') // class
        class /* A */ A /* { */ extends /* B */ Object /* { */ {/* [ */@d/* = */x/* = */=/* ; */1 // ;
          @d y
          @(d)
          static
          async *g() { yield 1 }
          @d get
          z() { return 2 }
          @d accessor accessor = 3
          @d static static = 4; @d [ /* ] */ 'k' ] = 5
          @d async m() { return `${new (@d class { @d v = 6 })().v}` };;@d #p
          static { this.q = 7 } }
        const a = new A; [a.x, a.y, (await A.g().next()).value, a.z, a.accessor, A.static, a.k, await a.m(), A.q]",
        "[ 1, undefined, 1, 2, 3, 4, 5, '6', 7 ]",
    );
    gives("const d = () => () => 1; const f = async () => { class A { @d x } return new A().x }; await f()", "1");
    gives(
        "const d = () => {}; class A extends (@d class { x = 1 }) { @d m() { return super.constructor === Object } }; new (@d class extends A { @d y = this.x + 1 })().y",
        "2",
    );
}

#[test]
fn a_class_with_decorators_may_be_declared_again() {
    session(&[
        ("let n = 0; const d = C => class extends C { v = ++n }", U),
        ("@d class A {}", U),
        ("new A().v", "1"),
        ("const read = () => new A().v; @d class A { w = 1 }", U),
        ("[read(), new A().w]", "[ 2, 1 ]"),
        ("const d = C => { C.last = true }", U),
        ("@d class A { static a = A }", U),
        ("[A.last, A.a === A]", "[ true, true ]"),
        ("class A {} A.last", U),
        ("{ @d class A {} } A.last", U),
    ]);
}

#[test]
fn classes_with_decorators_are_exported_however_it_is_written() {
    let dec = "export const d = C => { C.seen = true };";
    for (file, text) in [
        ("a.js", format!("{dec} export @d class A {{}} @d export class B {{}} @d export default class C {{}}")),
        ("a.js", format!("{dec} @d export class A {{}} export @d class B {{}} export default @d class {{}}")),
        (
            "a.ts",
            format!("{dec} @d export class A {{ x: number = 1 }} @d export class B {{}} @d export default class {{}}"),
        ),
    ] {
        let files = vec![SourceFile { name: file.into(), text }];
        let code = "import C, { A, B } from './a'; [A.name, A.seen, B.seen, C.seen]";
        let finished = Worker::start().run_request(RunRequest { files, ..request(code) });
        assert_eq!(finished.shown(), "[ 'A', true, true, true ]");
    }
}

#[test]
fn types_go_from_what_is_decorated() {
    let code = "function d<T>(value: T, context: ClassMethodDecoratorContext): T { return value }
        abstract class P { constructor(private x: number) {} @d public m(this: P, a?: string): number { return this.x } declare y: string; abstract z(): void }
        class Q extends P { @((v: undefined, c: ClassFieldDecoratorContext) => (i: number) => i + 1) readonly f: number = 1; protected accessor s: string = 's'; z() { return [this.m(), this.f, this.s] } }
        new Q(5).z()";
    assert_eq!(Worker::start().run_request(typed(code)).shown(), "[ 5, 2, 's' ]");
    let script = RunRequest { mode: Mode::Script, ..typed("@(C => { C.v = 1 }) class A {} (A as any).v") };
    assert_eq!(Worker::start().run_request(script).text(), "1");
}

#[test]
fn positions_are_those_of_the_text() {
    for (code, line, column) in [
        ("const d = () => {};\n@d class A {\n  @d x = 1;\n  @d m() { nope() }\n}\nnew A().m()", 4, 12),
        ("const d = () => {};\nclass A {\n  @d static x = 1;\n  @d y = nope()\n}\nnew A()", 4, 10),
        ("const d = () => {};\n@d class A {\n  static x = nope() }", 3, 14),
        ("class A {\n  m() {}\n  @nope x\n}", 3, 4),
        ("class A { @(() => {}) x }\n nope()", 2, 2),
    ] {
        for lang in [Lang::Js, Lang::Ts] {
            let error = failure(RunRequest { lang, ..request(code) });
            assert_eq!(error.name, "ReferenceError", "{error:?}");
            assert_eq!((error.line, error.column), (Some(line), Some(column)), "{lang:?} {code}: {error:?}");
            assert!(!error.stack.contains("runpen-"), "{error:?}");
        }
    }
    let error = failure(request("const d = () => {};\n@d class A { m() { let a; let a } }"));
    assert_eq!((error.line, error.column), (Some(2), Some(31)), "{error:?}");
}

#[test]
fn what_cannot_be_compiled_is_refused_at_its_place() {
    for (code, column, sentence) in [
        ("class A { constructor(@d x) {} }", 23, "Decorators are not valid here"),
        ("function* f() { class A { @(yield) x } }", 29, "'yield'"),
        ("x = { ['a']: @d class {} }", 14, "needs a name of its own"),
    ] {
        let error = failure(request(code));
        assert_eq!(error.name, "SyntaxError", "{code}");
        assert!(error.message.contains(sentence), "{code}: {error:?}");
        assert_eq!((error.line, error.column), (Some(1), Some(column)), "{code}: {error:?}");
    }
    for code in [
        "class A { @d constructor() {} }",
        "class A { @d static {} }",
        "@d function f() {}",
        "class A { accessor m() {} }",
    ] {
        assert_eq!(failure(request(code)).name, "SyntaxError", "{code}");
    }
}

#[test]
fn a_script_has_what_the_engine_has() {
    let script = RunRequest { mode: Mode::Script, ..request("@d class A {}") };
    assert_eq!(failure(script).name, "SyntaxError");
}

#[test]
fn nothing_of_it_can_be_seen_among_the_globals() {
    let code = "const before = Reflect.ownKeys(globalThis).length; @(C => {}) class A {}; Reflect.ownKeys(globalThis).length - before";
    assert_eq!(Worker::start().run(code).shown(), "0");
}
