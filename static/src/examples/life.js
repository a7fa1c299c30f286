// Conway's game of life. The timer lives on after the result: the page says so, and Stop ends it.
const WIDTH = 24;
const HEIGHT = 10;
const GENERATIONS = 24;

// A glider, and three in a row that blink.
let alive = new Set(["1,0", "2,1", "0,2", "1,2", "2,2", "15,4", "16,4", "17,4"]);

const neighbours = (x, y) => {
  let count = 0;
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      const key = `${(x + dx + WIDTH) % WIDTH},${(y + dy + HEIGHT) % HEIGHT}`;
      if ((dx || dy) && alive.has(key)) count++;
    }
  }
  return count;
};

const next = () => {
  const born = new Set();
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const count = neighbours(x, y);
      if (count === 3 || (count === 2 && alive.has(`${x},${y}`))) born.add(`${x},${y}`);
    }
  }
  return born;
};

const picture = () =>
  Array.from({ length: HEIGHT }, (_, y) =>
    Array.from({ length: WIDTH }, (_, x) => (alive.has(`${x},${y}`) ? "●" : "·")).join(" "),
  ).join("\n");

let generation = 0;
const timer = setInterval(() => {
  console.log(`generation ${++generation}\n${picture()}`);
  alive = next();
  if (generation === GENERATIONS) clearInterval(timer);
}, 100);

`${GENERATIONS} generations to come`;
