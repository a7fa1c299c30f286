/** The programs of the examples menu. Their code comes with the menu, except for the first one's, which greets a new reader. */

import streaming from "./examples/streaming.js?raw";

export interface Example {
  title: string;
  about: string;
  load: () => Promise<string>;
}

/** What the editor shows to someone who was never here. */
export const SAMPLE = streaming;

export const EXAMPLES: readonly Example[] = [
  { title: "Streaming output", about: "Lines that arrive one by one, and a result", load: async () => streaming },
  example("sorting", "Sorting, visualised", "Selection sort as bars, swap by swap"),
  example("life", "Game of life", "Timers that live on after the result"),
  example("quiz", "Quiz", "prompt() waits for your answers"),
  example("queue", "Async queue", "Five tasks, two at a time"),
  example("fibonacci", "Fibonacci with a memory", "Memoisation and BigInt"),
  example("words", "Words and patterns", "Strings and regular expressions"),
  example("generators", "Generators", "Endless sequences, and async ones"),
  example("classes", "Classes", "Private fields, getters, iteration"),
  example("orders", "JSON to a summary", "Parse, group, sum, sort"),
  example("race", "Promises race", "race, any, allSettled, and giving up"),
  example("mandelbrot", "Mandelbrot", "A picture made of signs"),
  example("endless", "Endless loop", "Press Stop: it always works"),
];

function example(name: string, title: string, about: string): Example {
  const load = async () => {
    const { CODES } = await import("./example-codes");
    return CODES[`./examples/${name}.js`] ?? "";
  };
  return { title, about, load };
}
