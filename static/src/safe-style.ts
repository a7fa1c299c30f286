/**
 * What of a stranger's CSS for `%c` is applied: a few properties, each with values of a few forms and bounded sizes. Nothing that
 * loads anything, moves anything out of its row, or covers what is not its own.
 */

export type Style = readonly (readonly [property: string, value: string])[];

/** A style is short; a longer one is somebody's attempt. */
const MAX_CSS_CHARACTERS = 2_000;

const MAX_FONT_PIXELS = 40;
const MAX_SPACE_PIXELS = 40;
const MAX_BORDER_PIXELS = 6;
/** What a length of 1 is in pixels, near enough to bound it. */
const PIXELS: Record<string, number> = { px: 1, pt: 1.34, em: 14, rem: 16, ch: 8 };

type Check = (value: string) => boolean;

const COLOUR: Check = (value) =>
  /^[a-z]{3,30}$/.test(value) || /^#(?:[\da-f]{3,4}|[\da-f]{6}|[\da-f]{8})$/.test(value) || /^(?:rgb|hsl|hwb|lab|lch|oklab|oklch)a?\([\d\s.,%/+-]{1,60}(?:deg)?[\d\s.,%/+-]{0,60}\)$/.test(value);

const oneOf = (...words: string[]): Check => (value) => words.includes(value);

const length = (most: number): Check => (value) => {
  const [, size, unit] = /^(\d{1,5}(?:\.\d{1,5})?|\.\d{1,5})(px|pt|em|rem|ch)$/.exec(value) ?? [];
  return value === "0" || (size !== undefined && unit !== undefined && Number(size) * (PIXELS[unit] ?? Infinity) <= most);
};

/** Up to four, as for the sides of a box. */
const sides = (most: number): Check => (value) => {
  const parts = value.split(/\s+/);
  return parts.length <= 4 && parts.every(length(most));
};

const LINE = oneOf("none", "solid", "dotted", "dashed", "double", "wavy");

/** Width, line and colour in any order. */
const border: Check = (value) => {
  const parts = value.split(/\s+(?![^(]*\))/);
  return parts.length <= 3 && parts.every((part) => length(MAX_BORDER_PIXELS)(part) || LINE(part) || COLOUR(part));
};

const decoration: Check = (value) => {
  const word = oneOf("none", "underline", "overline", "line-through");
  return value.split(/\s+(?![^(]*\))/).every((part) => word(part) || LINE(part) || COLOUR(part));
};

const ALLOWED: Record<string, Check> = {
  color: COLOUR,
  "background-color": COLOUR,
  "font-weight": (value) => oneOf("normal", "bold", "bolder", "lighter")(value) || /^[1-9]00$/.test(value),
  "font-style": oneOf("normal", "italic", "oblique"),
  "font-size": length(MAX_FONT_PIXELS),
  // Of the reader's own fonts: the page loads none.
  "font-family": (value) => /^[\w\s,"'-]{1,100}$/.test(value),
  "text-decoration": decoration,
  "text-transform": oneOf("none", "uppercase", "lowercase", "capitalize"),
  padding: sides(MAX_SPACE_PIXELS),
  margin: sides(MAX_SPACE_PIXELS),
  "border-radius": sides(MAX_SPACE_PIXELS),
  border,
};
for (const side of ["left", "right", "top", "bottom"]) {
  ALLOWED[`padding-${side}`] = ALLOWED[`margin-${side}`] = length(MAX_SPACE_PIXELS);
  ALLOWED[`border-${side}`] = border;
}

export function safeStyle(css: string): Style {
  if (css.length > MAX_CSS_CHARACTERS) return [];
  return css.split(";").flatMap((declaration) => {
    const colon = declaration.indexOf(":");
    const name = declaration.slice(0, Math.max(0, colon)).trim().toLowerCase();
    const value = declaration.slice(colon + 1).replace(/!\s*important\s*$/i, "").trim().toLowerCase();
    // The shorthand is only taken for what it mostly says.
    const property = name === "background" ? "background-color" : name;
    return Object.hasOwn(ALLOWED, property) && ALLOWED[property]?.(value) ? [[property, value] as const] : [];
  });
}

/** Through the object model, which the page's policy allows, and where a value cannot become another declaration. */
export function applyStyle(element: HTMLElement, style: Style): void {
  for (const [property, value] of style) element.style.setProperty(property, value);
}
