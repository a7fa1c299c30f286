// Values made one at a time, only when somebody asks.
function* naturals() {
  for (let n = 1; ; n++) yield n;
}

function* filter(values, test) {
  for (const value of values) if (test(value)) yield value;
}

function* take(values, count) {
  for (const value of values) {
    if (count-- <= 0) return;
    yield value;
  }
}

const isPrime = (n) => n > 1 && !Array.from({ length: Math.sqrt(n) - 1 }, (_, i) => i + 2).some((d) => n % d === 0);
console.log([...take(filter(naturals(), isPrime), 10)]);

// A generator can listen, too.
function* average() {
  let sum = 0;
  for (let count = 1; ; count++) sum += yield sum / (count - 1 || 1);
}
const running = average();
running.next();
for (const value of [4, 8, 3]) console.log(`after ${value}:`, running.next(value).value);

// And async ones wait for each other.
async function* ticks(count) {
  for (let tick = 1; tick <= count; tick++) {
    await new Promise((wake) => setTimeout(wake, 100));
    yield tick;
  }
}
let last = 0;
for await (const tick of ticks(3)) console.log("tick", (last = tick));
last;
