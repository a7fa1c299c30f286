// fetch, which is there to say why it cannot be done.
(function (host) {
  'use strict';
  const { demand, TypeError } = host;

  async function fetch(resource, options = undefined) {
    demand(arguments.length, 1, '"resource" argument');
    throw new TypeError('fetch failed: there is no network in this sandbox');
  }

  return { __proto__: null, fetch };
});
