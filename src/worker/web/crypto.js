// crypto: the host's randomness. There is no `subtle`.
(function (host) {
  'use strict';
  const { apply, badThis, bytesOf, demand, dictionary, DOMException, finish, getTag, illegal, randomBytes, randomUuid } = host;

  const MOST_BYTES = 65536;

  /** Whether this is the tag of a typed array of integers. */
  function isIntegers(tag) {
    switch (tag) {
      case 'Int8Array':
      case 'Uint8Array':
      case 'Uint8ClampedArray':
      case 'Int16Array':
      case 'Uint16Array':
      case 'Int32Array':
      case 'Uint32Array':
      case 'BigInt64Array':
      case 'BigUint64Array':
        return true;
      default:
        return false;
    }
  }

  let mayConstruct = false;
  let isCrypto;

  class Crypto {
    #brand = true;

    constructor() {
      if (!mayConstruct) throw illegal();
    }

    static #check(value) {
      if (!host.isObject(value) || !(#brand in value)) throw badThis('Crypto');
    }

    static {
      isCrypto = (value) => #brand in value;
    }

    getRandomValues(array) {
      Crypto.#check(this);
      demand(arguments.length, 1, '"array" argument');
      if (!host.isObject(array) || !isIntegers(apply(getTag, array, []))) {
        throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
      }
      const bytes = bytesOf(array);
      const length = apply(host.typedLength, bytes, []);
      if (length > MOST_BYTES) {
        throw new DOMException('The requested length exceeds 65,536 bytes', 'QuotaExceededError');
      }
      if (length > 0) apply(host.setBytes, bytes, [randomBytes(length)]);
      return array;
    }

    randomUUID(options = undefined) {
      Crypto.#check(this);
      dictionary(options, 'options');
      return randomUuid();
    }
  }
  finish(Crypto, 'Crypto');
  mayConstruct = true;
  const crypto = new Crypto();
  mayConstruct = false;

  const show = (value) => (isCrypto(value) ? { __proto__: null, record: {}, deep: 'braces' } : undefined);

  return { __proto__: null, Crypto, crypto, show };
});
