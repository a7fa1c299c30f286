// The same function, with and without a memory.
let calls = 0;
const slow = (n) => (calls++, n < 2 ? n : slow(n - 1) + slow(n - 2));

const memory = new Map();
const quick = (n) => {
  if (n < 2n) return n;
  if (!memory.has(n)) memory.set(n, quick(n - 1n) + quick(n - 2n));
  return memory.get(n);
};

const began = Date.now();
console.log(`fib(20) = ${slow(20)} after ${calls} calls`);
console.log(`fib(90) = ${quick(90n)} after ${memory.size} calls`);
console.info(`both took ${Date.now() - began} ms`);

// BigInt goes on where numbers lose digits.
quick(300n);
