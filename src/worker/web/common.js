// What the files beside this one share. None of them names a global: a script may have replaced them all by the time a file is
// loaded. What they use of the language is in `host`, captured before any script ran, and lists that they keep have no prototype.
(function (host) {
  'use strict';
  const { apply, classOf, defineProperty, getTag, ownKeys, setPrototypeOf, toWellFormed } = host;
  const { ArrayBuffer, DataView, SharedArrayBuffer, TypeError, Uint8Array } = host;

  const BUFFER = classOf(new ArrayBuffer(0));
  const SHARED = classOf(new SharedArrayBuffer(0));
  const VIEW = classOf(new DataView(new ArrayBuffer(0)));

  /** An error with one of Node's codes. */
  function failure(Type, code, message) {
    const error = new Type(message);
    const property = { __proto__: null, value: code, writable: true, enumerable: true, configurable: true };
    defineProperty(error, 'code', property);
    return error;
  }

  const badType = (message) => failure(TypeError, 'ERR_INVALID_ARG_TYPE', message);
  const badThis = (name) => failure(TypeError, 'ERR_INVALID_THIS', `Value of "this" must be of type ${name}`);
  const illegal = () => failure(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');

  /** Complains about arguments that must be there; `names` is what stands in the sentence. */
  function demand(count, least, names) {
    if (count < least) {
      throw failure(TypeError, 'ERR_MISSING_ARGS', `The ${names} must be specified`);
    }
  }

  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

  /** A dictionary argument: an object to read members from, or nothing. */
  function dictionary(value, name) {
    if (value === undefined || value === null) return { __proto__: null };
    if (!isObject(value)) throw badType(`The "${name}" argument must be of type object.`);
    return value;
  }

  /** A list for the host's own use, which nothing that a script has done can reach. */
  const list = () => setPrototypeOf([], null);

  /** A string without surrogates that have no partner. */
  const scalars = (value) => apply(toWellFormed, `${value}`, []);

  /** Gives a class what an interface has: enumerable members and a tag. */
  function finish(Class, name) {
    const holders = [Class.prototype, Class];
    for (let side = 0; side < 2; side++) {
      const holder = holders[side];
      const keys = ownKeys(holder);
      for (let at = 0; at < keys.length; at++) {
        const key = keys[at];
        if (typeof key !== 'string' || key === 'constructor') continue;
        if (side === 1 && (key === 'length' || key === 'name' || key === 'prototype')) continue;
        defineProperty(holder, key, { __proto__: null, enumerable: true });
      }
    }
    const tag = { __proto__: null, value: name, writable: false, enumerable: false, configurable: true };
    defineProperty(Class.prototype, host.toStringTag, tag);
    return Class;
  }

  /** The bytes of an ArrayBuffer, a typed array or a DataView, as they are in memory; undefined for anything else. */
  function bytesOf(value) {
    const kind = classOf(value);
    let buffer = value;
    let offset = 0;
    let length;
    if (kind === BUFFER) {
      length = apply(host.bufferLength, value, []);
    } else if (kind === SHARED) {
      length = apply(host.sharedLength, value, []);
    } else if (kind === VIEW) {
      buffer = apply(host.viewBuffer, value, []);
      offset = apply(host.viewOffset, value, []);
      length = apply(host.viewLength, value, []);
    } else if (apply(getTag, value, []) !== undefined) {
      buffer = apply(host.typedBuffer, value, []);
      offset = apply(host.typedOffset, value, []);
      length = apply(host.typedByteLength, value, []);
    } else {
      return undefined;
    }
    // One that was detached has none.
    return length === 0 ? new Uint8Array(0) : new Uint8Array(buffer, offset, length);
  }

  host.BUFFER = BUFFER;
  host.SHARED = SHARED;
  host.VIEW = VIEW;
  host.failure = failure;
  host.badType = badType;
  host.badThis = badThis;
  host.illegal = illegal;
  host.demand = demand;
  host.isObject = isObject;
  host.dictionary = dictionary;
  host.list = list;
  host.scalars = scalars;
  host.finish = finish;
  host.bytesOf = bytesOf;
  return { __proto__: null };
});
