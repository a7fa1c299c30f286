// An exported variable is a property, not a copy.
namespace N { export let x = 1; export function up() { x++; } }
N.up(); console.log(N.x); N.x = 10; N.up(); console.log(N.x, Object.keys(N));

// A later block sees what an earlier one exports.
namespace N { export let a = 1; export const b = 2; let hidden = 3; export const get = () => hidden; }
namespace N { export const sum = a + b; a = 5; console.log(typeof hidden); }
console.log(N.a, N.sum, N.get());
declare const hidden: number;

// Late and compound assignments.
namespace N { export let late: number; export let text = 'a'; late = 5; late += 2; late **= 2; text += 'b'; late ||= 1; export var none: string; }
console.log(N.late, N.text, 'none' in N, Object.keys(N));

// Destructured exports.
namespace N { export const { a, b: [c, ...d], e = 5, ['f' + 1]: f, ...rest } = { a: 1, b: [2, 3, 4], f1: 6, g: 7, h: 8 } as any; }
console.log(N.a, N.c, N.d, N.e, N.f, N.rest);

// Destructuring assignments to exports.
namespace N { export let a: any, b: any, c: any; [a, b] = [1, 2]; ({ a: b, c = 9 } = { a: 7 } as any); ({ c } = { c: c + 1 }); [a = 4] = [undefined]; }
console.log(N.a, N.b, N.c);

// Loops over exports.
namespace N { export let i: number, k: string; for (i = 0; i < 3; i++) {} for (k in { x: 1, y: 2 }) {} for (i of [7, 8]) {} }
console.log(N.i, N.k);

// Shorthand properties.
namespace N { export let x = 1; export const made = { x, y: x, m() { return x; } }; x = 2; }
console.log(N.made.x, N.made.m());

// Several declarators, some without a value.
namespace N { export let a = 1, b: number, c = a + 1, d; export var e = c * 2 }
console.log(Object.entries(N));

// Functions are hoisted, their properties are not.
namespace N { console.log(f(), typeof (N as any).f); export function f() { return 'f'; } console.log(typeof (N as any).f); }
console.log(N.f());

// Overloads.
namespace N { export function f(a: string): string; export function f(a: number): number; export function f(a: any) { return a; } }
console.log(N.f(1), N.f('x'));

// Classes, with what they extend.
namespace N { export class A { static made = 0; constructor(public n = 1) { A.made++; } } export class B extends A { get twice() { return this.n * 2; } } }
namespace N { export abstract class C extends B { abstract f(): void; } export const c = new (class extends C { f() {} })(); }
console.log(new N.B(4).twice, N.c.twice, N.A.made);

// Nested namespaces, exported and not.
namespace A { export namespace B { export let x = 1; } namespace C { export let y = 2; } export const seen = [B.x, C.y]; B.x = 9; }
console.log(A.B.x, A.seen, Object.keys(A));

// Dotted names.
namespace A.B.C { export let deep = 1; }
namespace A.B { export const other = C.deep; C.deep++; }
namespace A { export const third = B.other + B.C.deep; }
console.log(A.B.C.deep, A.B.other, A.third);

// A nested namespace in several blocks.
namespace A { export namespace B { export let x = 1; } export namespace B { export let y = x + 1; } }
namespace A { export namespace B { export let z = x + y; } console.log(B.z); }
console.log(A.B);

// A function that is a namespace too.
function f() { return f.v; } namespace f { export let v = 4; export function g() { return v++; } }
f.g(); console.log(f(), f.v);

// A class that is a namespace too.
class K { m() { return K.v; } static s = 1; } namespace K { export let v = K.s + 1; export class Inner extends K {} }
console.log(new K().m(), new K.Inner().m());

// An exported class and function that are namespaces too.
namespace N { export class K { get() { return K.v; } } export namespace K { export let v = 1; } export function f() { return f.w; } export namespace f { export let w = 2; } }
console.log(new N.K().get(), N.f(), N.K.v, N.f.w);

// An enum that is a namespace too.
enum E { A, B } namespace E { export function next(e: E) { return e === E.A ? E.B : E.A; } export const last = E.B; }
console.log(E.next(E.A), E[E.last], Object.keys(E));

// A name of the namespace's own inside.
namespace N { export let x = 1; export function f(N: number) { return N + x; } export const g = () => { let N = 5; return N + x; }; }
console.log(N.f(1), N.g());

// An export that is called like its namespace.
namespace N { export let N = 1; N++; export const twice = N * 2; }
console.log(N.N, N.twice);

// Shadowed exports.
namespace N { export let x = 1; export function f(x: number) { return x; } export function g() { let x = 3; { let x = 4; return x; } } export const h = ({ x }: any) => x; export function i() { return x; } }
console.log(N.f(2), N.g(), N.h({ x: 5 }), N.i());

// A shadowed name in a later block.
let x = 'outer';
namespace N { export let x = 'inner'; }
namespace N { export const seen = x; { let x = 'block'; console.log(x); } }
console.log(N.seen, x);

// What an outer namespace exports.
namespace A { export let x = 1; export namespace B { export let y = x + 1; x = 7; export const f = () => x + y; } }
A.x = 100; console.log(A.B.f());

// An outer name that the inner one hides.
namespace A { export let x = 'a'; export namespace B { export let x = 'b'; export namespace C { export const seen = x; } } export const seen = x; }
console.log(A.B.C.seen, A.seen);

// Aliases.
namespace A.B { export let x = 1; export class C { v = 2; } export interface I { a: number } }
namespace N { import D = A.B.C; import Y = A.B; export import X = A.B.x; type T = Y.I; export const c = new D().v + Y.x; export const t: T = { a: 3 }; }
console.log(N.c, N.X, N.t, Object.keys(N));

// Aliases of types are no values.
namespace A { export interface I { a: number } export type T = string; export namespace Only { export interface J {} } }
namespace N { import I = A.I; export import J = A.I; export import O = A.Only; export const v: I = { a: 1 }; }
console.log(Object.keys(N));

// Aliases at the top level.
namespace A { export let x = 1; export namespace B { export const f = () => ++x; } }
import F = A.B.f; import B = A.B;
console.log(F(), B.f(), A.x);

// Namespaces of types alone are nothing.
namespace T { export interface I { a: number } export type X = string; namespace U { interface J {} } }
let v: T.I = { a: 1 }; console.log(v, typeof (globalThis as any).T);

// Interfaces and types between values.
namespace N { export interface I { a: T } export type T = number; interface Hidden {} type Other = Hidden; export const v: I = { a: 1 }; declare let nowhere: number; export declare function gone(): void; }
console.log(N.v, Object.keys(N));

// Enums in namespaces.
namespace N { export enum E { A, B = 5, C } enum Hidden { X = 'x' } export const h = Hidden.X; export const c = E.C; }
namespace N { export enum E { D = C * 2 } export const again = E.B + E.D; }
console.log(N.h, N.c, N.again, N.E);

// An enum that goes on.
enum E { A, B = A + 1, C } enum E { D = B + 5, F = E.C * 2, G }
console.log(E, Object.keys(E));

// Values of enums.
enum E { A = 1 << 0, B = 1 << 1, AB = A | B, Not = ~A, Neg = -5, Next, Float = 1.5, Then, Mod = 7 % 4, Pow = 2 ** 3, Shift = -1 >>> 28, Xor = 5 ^ 1, Div = 7 / 2 }
console.log(E);

// Enums of texts.
enum S { A = 'a', B = `b`, C = 'c' + 'd', D = A, E = `${A}-${B}`, F = A + 1 }
console.log(S, Object.keys(S));

// Both in one.
enum M { A, B = 'b', C = 3, D, E = "last" }
console.log(M, M[3], M[4]);

// Values that are computed.
enum E { A = 'abc'.length, B = Math.max(1, 2), C = A + 1, D = `x${B}` as any, F = ['q'][0] as any }
console.log(E);

// Names that are no identifiers.
enum E { 'a-b' = 1, 'c d', "e\n" = 5, ['f'] = 7, _ = E['a-b'] + 10 }
console.log(E, E['c d']);

// Constants that an enum is made of.
const one = 1; const text = 'x'; const typed: number = 7;
enum E { A = one, B, C = one + B, D = text, F = `${text}!`, G = typed }
console.log(E);

// Constants of namespaces in enums.
namespace N { export const base = 10; const own = 3; export enum E { A = base, B, C = own, D } }
namespace N { export enum F { A = base + 1, B, C = E.B, D } }
console.log(N.E, N.F);

// Constant enums.
const enum C { A = 1, B = A << 2, S = 's' } console.log(C.A, C.B, C['S'], C.B.toString());

// Enums in functions and blocks.
function f() { enum E { A, B } enum E { C = 5 } return E; }
{ enum Local { X = 3 } console.log(Local); } if (true) { enum Local { Y } console.log(Local.Y); }
console.log(f()); switch (1 as number) { case 1: enum InCase { A } console.log(InCase.A); }

// An enum's members inside, and what hides them.
const A = 'outer'; enum E { A = 1, B = A + 1, C = ((A: number) => A)(9), D = (() => A)() }
console.log(E, A);

// Enums of enums.
enum A { X = 1, Y } enum B { X = A.Y, Y, Z = A['X'] + 10, W } console.log(B);

// NaN and Infinity.
enum E { A = NaN, B = Infinity, C = -Infinity, D = 0 / 0, F = 1 / 0 } console.log(E);

// Numbers that wrap.
enum E { A = 0x7fffffff, B = A + 1, C = 1 << 31, D = 1 << 32, F = 0xffffffff | 0, G = 2 ** 40 | 1, H = 1e21, I } console.log(E);

// Declared enums and namespaces are not there.
declare enum Gone { A = 1 } declare namespace Away { let a: number; function f(): void; } declare const enum Inlined { A = 4 }
console.log(typeof (globalThis as any).Gone);

// What a declared namespace exports is a property all the same.
var D: any = { v: 8 };
namespace N { export const v = D.v; } console.log(N.v);

// A namespace whose function is called before.
console.log(typeof (globalThis as any).late); namespace N { export const f = function () { return x; }; export let x = 1; } console.log(N.f());

// Semicolons that are left out.
namespace N {
  const g = () => 1
  export const { a } = { a: 1 }
  export let [b] = [2]
  export let c = g()
  export const d = `x`
  export namespace M { export let e = 1 }
  export enum E { A }
  export import F = M.e
  export class K {}
  export function h() {}
  (() => {})()
}
console.log(Object.keys(N));

// Comments in odd places.
namespace /* a */ N /* b */ { /* c */ export /* d */ let /* e */ x /* f */ = /* g */ 1 /* h */, y /* i */; /* j */ export /* k */ function /* l */ f() { return x } }
enum /* a */ E /* b */ { /* c */ A /* d */ = /* e */ 1 /* f */, /* g */ B /* h */, /* i */ }
console.log(N.f(), E);

// Types on exports.
namespace N { export let a: number = 1, b: Array<{ c: string }> = [{ c: 'x' }], c!: string; export const f = <T,>(v: T): T => v; export const g = (v?: number): v is 5 => v === 5; }
console.log(N.a, N.b, N.f(3), N.g(5));

// Generators, async functions and what they close over.
namespace N { export let n = 0; export function* count() { while (n < 3) yield n++; } export const add = async (v: number) => { n += v; return n; }; }
console.log([...N.count()], N.n);

// Tagged templates, calls, `new`, `delete`, `typeof`, `in`.
namespace N { export const tag = (s: any, ...v: any[]) => s.raw.join('|') + v.join(); export const o: any = { a: 1 }; export let f = function () { return typeof o; }; }
namespace N { console.log(tag`a${1}b`, f(), delete o.a, 'a' in o, typeof o, new Array(o).length); }

// Spread, optional chains, non-null.
namespace N { export let a = [1, 2], o: any = null; }
namespace N { export const b = [...a, ...a]; export const c = o?.x?.y ?? a![0]; export const d = { ...{ a } }; export const e = Math.max(...a); }
console.log(N.b, N.c, N.d, N.e);

// `this` of a method that is called by its name.
namespace N { export const o = { x: 5, f() { return this.x; } }; export const { f } = o; export const x = 6; }
namespace N { export const got = f(); } console.log(N.got);

// Getters and default parameters.
namespace N { export let x = 1; export function f(a = x, { b = x } = {}) { return [a, b]; } export class C { v = x; static s = x; get g() { return x; } [`k${x}`]() { return x; } } x = 2; }
console.log(N.f(), new N.C().v, N.C.s, new N.C().g, (new N.C() as any).k1());

// Labels, `try`, `switch`.
namespace N { export let x = 0; outer: for (;;) { x++; switch (x) { case 3: break outer; default: continue outer; } } try { throw x; } catch (x) { console.log(x); } finally { x = 9; } }
console.log(N.x);

// `var` and functions of blocks stay inside.
namespace N { { var inside = 1; var g = () => inside; } export const v = g(); } console.log(N.v, typeof (globalThis as any).inside);

// The old word for it.
module N { export let x = 1; } declare module Gone { let y: number; } console.log(N.x);

// Strict text.
namespace N { 'use strict'; export const f = function (this: any) { return this === undefined; }; } console.log(typeof N.f);

// Parameter properties and enums of a namespace.
namespace Shop { export enum Kind { Small = 'S', Large = 'L' } export class Item { constructor(readonly kind: Kind, private price = 1) {} get label() { return `${this.kind}:${this.price}`; } } }
console.log(new Shop.Item(Shop.Kind.Large, 3).label, Shop.Kind);

// A namespace that other code changes.
namespace N { export let x = 1; export const read = () => x; } (N as any).x = 5; (N as any).y = 6; console.log(N.read());
namespace N { console.log((N as any).y); }

// Closures over exports in loops.
namespace N { export let i = 0; export const fs: Array<() => number> = []; for (i = 0; i < 3; i++) fs.push(() => i); for (let i = 10; i < 12; i++) fs.push(() => i); }
console.log(N.fs.map(f => f()));

// Increments of all kinds.
namespace N { export let x = 1; export const r = [x++, ++x, x--, --x, -x, +x, x += 1, x]; } console.log(N.r, N.x);

// An exported name in a computed key and a class heritage.
namespace N { export const key = 'k'; export class Base {} } namespace N { export class D extends Base { [key] = 1; static [key + 2] = 2; } } console.log(new N.D(), (N.D as any).k2);

// A namespace before a function of the same name.
namespace f { export let x = 1; } function f() { return f.x; } console.log(f());

// What only looks like an export.
namespace N { export let x = 1; export const o = { x: 2, get y() { return x; }, ['x' + x]: 3, f(x = 4) { return x; } }; export class C { x = 5; static x = x; m() { x: for (;;) break x; return this.x + x; } } }
console.log(N.o, N.o.f(), new N.C().m(), N.C.x);

// Scopes of all kinds that hide an export, or do not.
namespace N { export let x = 1, seen: any[] = []; try { throw 'caught'; } catch (x) { seen.push(x); } for (let x of [2]) seen.push(x); function f() { seen.push(x); var x = 3; } f(); (function x() { seen.push(typeof x); })(); seen.push(class x {}.name, x); }
console.log(N.seen);

// Static blocks, private members and computed fields.
namespace N { export let x = 1; export class C { static #p = x; static { x += this.#p; } [x] = x; #q = x; get q() { return this.#q; } } }
console.log(N.x, new N.C(), new N.C().q);

// Aliases of aliases.
namespace A { export namespace B { export namespace C { export let v = 1; export class K {} } } }
namespace N { import B = A.B; import C = B.C; export import D = C; export const seen = [C.v, new C.K()]; }
namespace N { console.log(D.v, ++D.v); }
console.log(A.B.C.v, N.seen, N.D === A.B.C);

// An alias of an enum.
enum E { A = 'a' } namespace N { export import F = E; export const v = F.A; import G = E; enum H { X = G.A.length } export const h = H.X; }
console.log(N.F, N.v, N.h);

// Exported with a decorator.
const log: any[] = []; function dec(value: any, context: any) { log.push(context.name); }
namespace N { export let n = 0; @dec export class C { @dec m() { return n; } } export @dec class D {} } console.log(log, new N.C().m(), Object.keys(N));

// Enums with members of the same value, or none.
enum Same { A = 1, B = 1, C } enum None {} console.log(Same, None, Same[1]);

// Namespaces around functions with enums of their own.
namespace N { export function f() { enum E { A = 1, B } return E.B; } export const g = () => { const enum E { A = 5 } return E.A; }; export enum E { A = 9 } } console.log(N.f(), N.g(), N.E.A);

// Generic calls, assertions and `satisfies` around exports.
namespace N { export let x: unknown = 1; export const y = (x as number) + 1, z = <number>x, w = x! satisfies unknown; export function id<T>(v: T) { return v; } } namespace N { console.log(id<number>(y), (x as any) = 7, x); }
console.log(N.x, N.y, N.z, N.w);

// Destructured parameters, defaults and rests that name exports.
namespace N { export let a = 1, b = 2; export const f = ({ a: c = a, ...d }: any = { b }) => [c, d]; export const g = ([x = b, ...a]: any[]) => [x, a]; } console.log(N.f(), N.f({}), N.g([]), N.g([5, 6]));

// Logical and exponent assignments, comma and conditional expressions.
namespace N { export let a: any = null, b: any = 0, c: any = 2; a ??= 5; b ||= a; c &&= c ** 3; export const d = (a, b, c), e = a ? b : c; [a, b] = [b, c]; } console.log(N);

// Asynchronous code.
namespace N { export let n = 0; export async function* gen() { for (let i = 0; i < 2; i++) { n++; yield n; } } export const later = async () => { for await (n of gen()) ; return n; }; } N.later(); console.log(N.n);

// Two namespaces that use each other.
namespace A { export const f = (n: number): any => n ? B.g(n - 1) : x; export let x = 'a'; } namespace B { export const g = (n: number): any => n ? A.f(n - 1) : x; export let x = 'b'; } console.log(A.f(1), A.f(2));

// Names that are words elsewhere.
namespace of { export let async = 1, get = 2, type = 3, namespace = 4; export const all = [async, get, type, namespace]; } enum type { of, as = 5, enum } console.log(of.all, type);

// Values in parentheses.
namespace N { export let a = (1), b = ((2, 3)), { c } = ({ c: 4 }); export const f = (() => (a)); } enum E { A = (1 + 2) * 3, B = (A), C = ('x'), D = ((A | (1 << 4))), F } console.log(N.a, N.b, N.c, N.f(), E);

// Parameters do not see what the body declares.
let x = 'outer'; namespace N { export let x = 1; export function f(g = () => x) { var x = 2; return g() + x; } export const h = (a = x, b = () => x) => { let x = 5; return [a, b(), x]; }; export function k(x = 7, y = x) { return y; } } console.log(N.f(), N.h(), N.k());
