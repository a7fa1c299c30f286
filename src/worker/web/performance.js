// performance: the engine's clock, and when it began.
(function (host) {
  'use strict';
  const { badThis, finish, illegal, now, timeOrigin } = host;

  let mayConstruct = false;
  let isPerformance;

  class Performance {
    #brand = true;

    constructor() {
      if (!mayConstruct) throw illegal();
    }

    static #check(value) {
      if (!host.isObject(value) || !(#brand in value)) throw badThis('Performance');
    }

    static {
      isPerformance = (value) => #brand in value;
    }

    get timeOrigin() {
      Performance.#check(this);
      return timeOrigin;
    }

    now() {
      Performance.#check(this);
      return now();
    }

    toJSON() {
      Performance.#check(this);
      return { timeOrigin };
    }
  }
  finish(Performance, 'Performance');
  mayConstruct = true;
  const performance = new Performance();
  mayConstruct = false;

  const show = (value) =>
    isPerformance(value) ? { __proto__: null, record: { timeOrigin }, deep: 'braces' } : undefined;

  return { __proto__: null, Performance, performance, show };
});
