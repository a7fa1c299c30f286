// Many tasks, but never more than two at a time.
const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

class Queue {
  #atOnce;
  #running = 0;
  #waiting = [];

  constructor(atOnce) {
    this.#atOnce = atOnce;
  }

  async add(task) {
    if (this.#running === this.#atOnce) await new Promise((free) => this.#waiting.push(free));
    else this.#running++;
    try {
      return await task();
    } finally {
      // Whoever waits takes over the place.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

const queue = new Queue(2);
const fetchPage = (page) => async () => {
  console.log(`→ page ${page}`);
  await sleep(100 + page * 20);
  console.log(`← page ${page}`);
  return page * 10;
};

const results = await Promise.all([1, 2, 3, 4, 5].map((page) => queue.add(fetchPage(page))));
results.reduce((sum, result) => sum + result);
