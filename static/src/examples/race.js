// Promises that race, fail, and are given up.
const sleep = (ms, value) => new Promise((wake) => setTimeout(wake, ms, value));
const fail = async (ms, why) => {
  await sleep(ms);
  throw new Error(why);
};

const within = (ms, promise) => Promise.race([promise, fail(ms, `nothing after ${ms} ms`)]);

console.log("race:", await Promise.race([sleep(80, "turtle"), sleep(30, "rabbit")]));
console.log("any:", await Promise.any([fail(10, "too early"), sleep(40, "the first that works")]));
console.log("settled:", (await Promise.allSettled([sleep(10, 1), fail(5, "no")])).map(({ status }) => status));

try {
  await within(60, sleep(150, "late"));
} catch (error) {
  console.warn("gave up:", error.message);
}

await within(100, sleep(20, "in time"));
