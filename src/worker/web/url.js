// URL and URLSearchParams. The host parses, changes and encodes; these are the objects around it.
(function (host) {
  'use strict';
  const { apply, badThis, badType, decodeForm, defineProperty, demand, describe, encodeForm, failure } = host;
  const { finish, isObject, iterator, list, ownKeys, parseUrl, scalars, setPrototypeOf, setUrl, TypeError } = host;

  // Where the host puts each part.
  const HREF = 0;
  const ORIGIN = 1;
  const PROTOCOL = 2;
  const USERNAME = 3;
  const PASSWORD = 4;
  const HOST = 5;
  const HOSTNAME = 6;
  const PORT = 7;
  const PATHNAME = 8;
  const SEARCH = 9;
  const HASH = 10;

  const TUPLE = 'Each query pair must be an iterable [name, value] tuple';

  // Only what is in the same file may do these to an object of the other class.
  let paramsOf;
  let refill;
  let requery;
  let isParams;
  let pairsOf;
  let iterate;
  let isUrl;
  let record;

  /** Reads pairs out of whatever a script has handed over, by the script's own iterators. */
  function fill(pairs, init) {
    const method = init[iterator];
    if (method !== undefined && method !== null) {
      if (typeof method !== 'function') throw failure(TypeError, 'ERR_ARG_NOT_ITERABLE', 'Query pairs must be iterable');
      for (const pair of init) {
        if (!isObject(pair) || typeof pair[iterator] !== 'function') {
          throw failure(TypeError, 'ERR_INVALID_TUPLE', TUPLE);
        }
        let count = 0;
        let name;
        let value;
        for (const item of pair) {
          count++;
          if (count === 1) name = item;
          else if (count === 2) value = item;
          else break;
        }
        if (count !== 2) throw failure(TypeError, 'ERR_INVALID_TUPLE', TUPLE);
        pairs[pairs.length] = scalars(name);
        pairs[pairs.length] = scalars(value);
      }
      return pairs;
    }
    const keys = ownKeys(init);
    const places = { __proto__: null };
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at];
      const property = describe(init, key);
      if (property === undefined || !property.enumerable) continue;
      const name = scalars(key);
      const value = scalars(init[key]);
      // Two keys can be one when they are put right.
      if (places[name] === undefined) {
        places[name] = pairs.length;
        pairs[pairs.length] = name;
        pairs[pairs.length] = value;
      } else {
        pairs[places[name] + 1] = value;
      }
    }
    return pairs;
  }

  /** Sorts pairs by name, in UTF-16 units; equal ones keep their order. */
  function sorted(pairs) {
    const count = pairs.length;
    let from = pairs;
    let to = list();
    for (let width = 2; width < count; width *= 2) {
      let out = 0;
      for (let start = 0; start < count; start += 2 * width) {
        const middle = start + width < count ? start + width : count;
        const end = start + 2 * width < count ? start + 2 * width : count;
        let left = start;
        let right = middle;
        while (left < middle || right < end) {
          const takesLeft = right >= end || (left < middle && from[left] <= from[right]);
          const at = takesLeft ? left : right;
          to[out++] = from[at];
          to[out++] = from[at + 1];
          if (takesLeft) left += 2;
          else right += 2;
        }
      }
      const other = from;
      from = to;
      to = other === pairs ? list() : other;
    }
    return from;
  }

  class URLSearchParams {
    #pairs = list();
    #url = null;

    static {
      paramsOf = (url, query) => {
        const params = new URLSearchParams();
        params.#pairs = decodeForm(query);
        params.#url = url;
        return params;
      };
      refill = (params, query) => {
        params.#pairs = decodeForm(query);
      };
      isParams = (value) => #pairs in value;
      pairsOf = (params) => params.#pairs;
    }

    static #of(value) {
      if (!isObject(value) || !(#pairs in value)) throw badThis('URLSearchParams');
      return value.#pairs;
    }

    constructor(init = undefined) {
      if (init === undefined || init === null) return;
      this.#pairs = isObject(init) ? fill(list(), init) : decodeForm(scalars(init));
    }

    #changed() {
      if (this.#url !== null) requery(this.#url, URLSearchParams.#text(this.#pairs));
    }

    static #text(pairs) {
      let text = '';
      for (let at = 0; at < pairs.length; at += 2) {
        text += `${at === 0 ? '' : '&'}${encodeForm(pairs[at])}=${encodeForm(pairs[at + 1])}`;
      }
      return text;
    }

    get size() {
      return URLSearchParams.#of(this).length / 2;
    }

    append(name, value) {
      URLSearchParams.#of(this);
      demand(arguments.length, 2, '"name" and "value" arguments');
      name = scalars(name);
      value = scalars(value);
      const pairs = this.#pairs;
      pairs[pairs.length] = name;
      pairs[pairs.length] = value;
      this.#changed();
    }

    delete(name, value = undefined) {
      URLSearchParams.#of(this);
      demand(arguments.length, 1, '"name" argument');
      name = scalars(name);
      if (value !== undefined) value = scalars(value);
      const pairs = this.#pairs;
      const kept = list();
      for (let at = 0; at < pairs.length; at += 2) {
        if (pairs[at] === name && (value === undefined || pairs[at + 1] === value)) continue;
        kept[kept.length] = pairs[at];
        kept[kept.length] = pairs[at + 1];
      }
      this.#pairs = kept;
      this.#changed();
    }

    get(name) {
      URLSearchParams.#of(this);
      demand(arguments.length, 1, '"name" argument');
      name = scalars(name);
      const pairs = this.#pairs;
      for (let at = 0; at < pairs.length; at += 2) {
        if (pairs[at] === name) return pairs[at + 1];
      }
      return null;
    }

    getAll(name) {
      URLSearchParams.#of(this);
      demand(arguments.length, 1, '"name" argument');
      name = scalars(name);
      const pairs = this.#pairs;
      const found = list();
      for (let at = 0; at < pairs.length; at += 2) {
        if (pairs[at] === name) found[found.length] = pairs[at + 1];
      }
      return setPrototypeOf(found, host.ArrayPrototype);
    }

    has(name, value = undefined) {
      URLSearchParams.#of(this);
      demand(arguments.length, 1, '"name" argument');
      name = scalars(name);
      if (value !== undefined) value = scalars(value);
      const pairs = this.#pairs;
      for (let at = 0; at < pairs.length; at += 2) {
        if (pairs[at] === name && (value === undefined || pairs[at + 1] === value)) return true;
      }
      return false;
    }

    set(name, value) {
      URLSearchParams.#of(this);
      demand(arguments.length, 2, '"name" and "value" arguments');
      name = scalars(name);
      value = scalars(value);
      const pairs = this.#pairs;
      const kept = list();
      let isSet = false;
      for (let at = 0; at < pairs.length; at += 2) {
        if (pairs[at] === name) {
          if (isSet) continue;
          isSet = true;
          kept[kept.length] = name;
          kept[kept.length] = value;
        } else {
          kept[kept.length] = pairs[at];
          kept[kept.length] = pairs[at + 1];
        }
      }
      if (!isSet) {
        kept[kept.length] = name;
        kept[kept.length] = value;
      }
      this.#pairs = kept;
      this.#changed();
    }

    sort() {
      URLSearchParams.#of(this);
      this.#pairs = sorted(this.#pairs);
      this.#changed();
    }

    entries() {
      URLSearchParams.#of(this);
      return iterate(this, 'entries');
    }

    forEach(callback, thisArgument = undefined) {
      URLSearchParams.#of(this);
      if (typeof callback !== 'function') throw badType('The "callback" argument must be of type function.');
      for (let at = 0; at < this.#pairs.length; at += 2) {
        apply(callback, thisArgument, [this.#pairs[at + 1], this.#pairs[at], this]);
      }
    }

    keys() {
      URLSearchParams.#of(this);
      return iterate(this, 'keys');
    }

    values() {
      URLSearchParams.#of(this);
      return iterate(this, 'values');
    }

    toString() {
      return URLSearchParams.#text(URLSearchParams.#of(this));
    }
  }
  class Steps {
    #params = null;
    #kind;
    #at = 0;

    static {
      iterate = (params, kind) => {
        const steps = new Steps();
        steps.#params = params;
        steps.#kind = kind;
        return steps;
      };
    }

    next() {
      if (!isObject(this) || !(#params in this)) throw badThis('URLSearchParamsIterator');
      const pairs = this.#params === null ? list() : pairsOf(this.#params);
      const at = this.#at;
      if (at >= pairs.length) return { value: undefined, done: true };
      this.#at += 2;
      if (this.#kind === 'keys') return { value: pairs[at], done: false };
      if (this.#kind === 'values') return { value: pairs[at + 1], done: false };
      return { value: [pairs[at], pairs[at + 1]], done: false };
    }
  }
  delete Steps.prototype.constructor;
  finish(Steps, 'URLSearchParams Iterator');
  setPrototypeOf(Steps.prototype, host.IteratorPrototype);
  finish(URLSearchParams, 'URLSearchParams');
  const entries = { __proto__: null, value: URLSearchParams.prototype.entries, writable: true, configurable: true };
  defineProperty(URLSearchParams.prototype, iterator, entries);

  class URL {
    #parts;
    #params = null;

    static {
      requery = (url, query) => {
        url.#parts = setUrl(url.#parts[HREF], SEARCH, query === '' ? '' : `?${query}`);
      };
      isUrl = (value) => #parts in value;
      record = (url) => {
        const parts = url.#parts;
        return {
          href: parts[HREF],
          origin: parts[ORIGIN],
          protocol: parts[PROTOCOL],
          username: parts[USERNAME],
          password: parts[PASSWORD],
          host: parts[HOST],
          hostname: parts[HOSTNAME],
          port: parts[PORT],
          pathname: parts[PATHNAME],
          search: parts[SEARCH],
          searchParams: url.#params ?? paramsOf(url, parts[SEARCH]),
          hash: parts[HASH],
        };
      };
    }

    static #of(value) {
      if (!isObject(value) || !(#parts in value)) throw badThis('URL');
      return value.#parts;
    }

    constructor(url, base = undefined) {
      demand(arguments.length, 1, '"url" argument');
      url = scalars(url);
      if (base !== undefined) base = scalars(base);
      const parts = parseUrl(url, base);
      if (parts === undefined) {
        const error = failure(TypeError, 'ERR_INVALID_URL', 'Invalid URL');
        const property = { __proto__: null, value: url, writable: true, enumerable: true, configurable: true };
        defineProperty(error, 'input', property);
        if (base !== undefined) defineProperty(error, 'base', { ...property, __proto__: null, value: base });
        throw error;
      }
      this.#parts = parts;
    }

    static canParse(url, base = undefined) {
      demand(arguments.length, 1, '"url" argument');
      url = scalars(url);
      if (base !== undefined) base = scalars(base);
      return parseUrl(url, base) !== undefined;
    }

    #set(part, value) {
      URL.#of(this);
      value = scalars(value);
      const parts = setUrl(this.#parts[HREF], part, value);
      if (parts === undefined) {
        const error = failure(TypeError, 'ERR_INVALID_URL', 'Invalid URL');
        const property = { __proto__: null, value, writable: true, enumerable: true, configurable: true };
        defineProperty(error, 'input', property);
        throw error;
      }
      this.#parts = parts;
      if (this.#params !== null && (part === SEARCH || part === HREF)) refill(this.#params, parts[SEARCH]);
    }

    toString() {
      return URL.#of(this)[HREF];
    }

    get href() {
      return URL.#of(this)[HREF];
    }

    set href(value) {
      URL.#of(this);
      this.#set(HREF, value);
    }

    get origin() {
      return URL.#of(this)[ORIGIN];
    }

    get protocol() {
      return URL.#of(this)[PROTOCOL];
    }

    set protocol(value) {
      URL.#of(this);
      this.#set(PROTOCOL, value);
    }

    get username() {
      return URL.#of(this)[USERNAME];
    }

    set username(value) {
      URL.#of(this);
      this.#set(USERNAME, value);
    }

    get password() {
      return URL.#of(this)[PASSWORD];
    }

    set password(value) {
      URL.#of(this);
      this.#set(PASSWORD, value);
    }

    get host() {
      return URL.#of(this)[HOST];
    }

    set host(value) {
      URL.#of(this);
      this.#set(HOST, value);
    }

    get hostname() {
      return URL.#of(this)[HOSTNAME];
    }

    set hostname(value) {
      URL.#of(this);
      this.#set(HOSTNAME, value);
    }

    get port() {
      return URL.#of(this)[PORT];
    }

    set port(value) {
      URL.#of(this);
      this.#set(PORT, value);
    }

    get pathname() {
      return URL.#of(this)[PATHNAME];
    }

    set pathname(value) {
      URL.#of(this);
      this.#set(PATHNAME, value);
    }

    get search() {
      return URL.#of(this)[SEARCH];
    }

    set search(value) {
      URL.#of(this);
      this.#set(SEARCH, value);
    }

    get searchParams() {
      const parts = URL.#of(this);
      if (this.#params === null) this.#params = paramsOf(this, parts[SEARCH]);
      return this.#params;
    }

    get hash() {
      return URL.#of(this)[HASH];
    }

    set hash(value) {
      URL.#of(this);
      this.#set(HASH, value);
    }

    toJSON() {
      return URL.#of(this)[HREF];
    }
  }
  finish(URL, 'URL');

  function show(value) {
    if (isUrl(value)) return { __proto__: null, record: record(value), deep: 'braces' };
    if (isParams(value)) return { __proto__: null, pairs: pairsOf(value), deep: 'object' };
    return undefined;
  }

  return { __proto__: null, URL, URLSearchParams, show };
});
