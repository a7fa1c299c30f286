// Selection sort, one swap at a time.
const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

const numbers = [7, 3, 9, 1, 8, 2, 6, 4];

const bars = (marked) =>
  numbers.map((number, index) => `${marked.includes(index) ? "▶" : " "} ${"█".repeat(number)} ${number}`).join("\n");

for (let end = 0; end < numbers.length - 1; end++) {
  let least = end;
  for (let index = end + 1; index < numbers.length; index++) {
    if (numbers[index] < numbers[least]) least = index;
  }
  if (least === end) continue;
  console.log(`swap ${numbers[end]} and ${numbers[least]}\n${bars([end, least])}`);
  [numbers[end], numbers[least]] = [numbers[least], numbers[end]];
  await sleep(150);
}

console.log(bars([]));
numbers.join(" < ");
