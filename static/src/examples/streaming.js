// Each line of output arrives while the code still runs.
const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

for (let step = 1; step <= 3; step++) {
  console.log("step", step);
  await sleep(300);
}

// The last value is the result.
// The line under the console can go on with it.
const primes = [2, 3, 5, 7, 11];
primes.map((prime) => prime ** 2);
