/** The programs of the examples menu. Their code comes with the menu, except for the first one's, which greets a new reader. */

import streaming from "./examples/streaming.js?raw";
import type { Program, SourceFile } from "./program";

export interface Example {
  title: string;
  about: string;
  load: () => Promise<Program>;
}

/** What the editor shows to someone who was never here. */
export const SAMPLE: Program = { code: streaming, lang: "js", files: [] };

export const EXAMPLES: readonly Example[] = [
  { title: "Streaming output", about: "Lines that arrive one by one, and a result", load: async () => SAMPLE },
  example("sorting", "Sorting, visualised", "Selection sort as bars, swap by swap"),
  example("life", "Game of life", "Timers that live on after the result"),
  example("quiz", "Quiz", "prompt() waits for your answers"),
  example("queue", "Async queue", "Five tasks, two at a time"),
  example("fibonacci", "Fibonacci with a memory", "Memoisation and BigInt"),
  example("words", "Words and patterns", "Strings and regular expressions"),
  example("generators", "Generators", "Endless sequences, and async ones"),
  example("classes", "Classes", "Private fields, getters, iteration"),
  example("orders", "JSON to a summary", "Parse, group, sum, sort"),
  example("inventory", "TypeScript", "Types, an enum, generics: compiled before it runs"),
  example("modules", "Modules", "Three files that import each other", ["shapes.js", "format.ts"]),
  example("race", "Promises race", "race, any, allSettled, and giving up"),
  example("mandelbrot", "Mandelbrot", "A picture made of signs"),
  example("endless", "Endless loop", "Press Stop: it always works"),
];

/** With `files`, `name` is their folder, and its `main.js` the code. */
function example(name: string, title: string, about: string, files: readonly string[] = []): Example {
  const load = async (): Promise<Program> => {
    const { CODES } = await import("./example-codes");
    const text = (path: string) => CODES[`./examples/${path}`];
    const code = text(`${name}.js`) ?? text(`${name}/main.js`);
    return {
      code: code ?? text(`${name}.ts`) ?? "",
      lang: code === undefined ? "ts" : "js",
      files: files.map((file): SourceFile => ({ name: file, text: text(`${name}/${file}`) ?? "" })),
    };
  };
  return { title, about, load };
}
