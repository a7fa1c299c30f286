// The Mandelbrot set, a line at a time.
const SHADES = " .:-=+*#%@";
const DEPTH = 60;

const depth = (cx, cy) => {
  let [x, y] = [0, 0];
  for (let step = 0; step < DEPTH; step++) {
    [x, y] = [x * x - y * y + cx, 2 * x * y + cy];
    if (x * x + y * y > 4) return step;
  }
  return DEPTH;
};

let inside = 0;
for (let row = -10; row <= 10; row++) {
  let line = "";
  for (let column = 0; column < 60; column++) {
    const steps = depth(column / 20 - 2.2, row / 9);
    if (steps === DEPTH) inside++;
    line += SHADES[Math.floor((steps / DEPTH) * (SHADES.length - 1))];
  }
  console.log(line);
}

`${inside} points inside`;
