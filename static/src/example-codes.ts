/** The code of every example, by file: a chunk of its own, loaded when one is chosen. */

export const CODES = import.meta.glob<string>("./examples/**/*.{js,ts}", { query: "?raw", import: "default", eager: true });
