// TextEncoder and TextDecoder. The host knows the encodings.
(function (host) {
  'use strict';
  const { apply, badThis, badType, bytesOf, decoder, dictionary, encode, encodeInto, failure, finish } = host;
  const { demand, getTag, RangeError, scalars, TypeError, Uint8Array } = host;

  // Bytes that are decoded in one go: between two of them the engine may ask whether it should stop.
  const AT_ONCE = 65536;

  let isEncoder;
  let isDecoder;
  let record;

  class TextEncoder {
    #brand = true;

    static #check(value) {
      if (!host.isObject(value) || !(#brand in value)) throw badThis('TextEncoder');
    }

    static {
      isEncoder = (value) => #brand in value;
    }

    get encoding() {
      TextEncoder.#check(this);
      return 'utf-8';
    }

    encode(input = '') {
      TextEncoder.#check(this);
      return encode(scalars(input));
    }

    encodeInto(src, dest) {
      TextEncoder.#check(this);
      demand(arguments.length, 2, '"src" and "dest" arguments');
      src = scalars(src);
      if (!host.isObject(dest) || apply(getTag, dest, []) !== 'Uint8Array') {
        throw badType('The "dest" argument must be an instance of Uint8Array.');
      }
      const target = bytesOf(dest);
      const { 0: read, 1: bytes } = encodeInto(src, apply(host.typedLength, target, []));
      const written = apply(host.typedLength, bytes, []);
      if (written > 0) apply(host.setBytes, target, [bytes]);
      return { read, written };
    }
  }
  class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    #decode;

    static #check(value) {
      if (!host.isObject(value) || !(#decode in value)) throw badThis('TextDecoder');
    }

    static {
      isDecoder = (value) => #decode in value;
      record = (decoder) => ({
        encoding: decoder.#encoding,
        fatal: decoder.#fatal,
        ignoreBOM: decoder.#ignoreBOM,
      });
    }

    constructor(label = 'utf-8', options = undefined) {
      label = `${label}`;
      const members = dictionary(options, 'options');
      const fatal = !!members.fatal;
      const ignoreBOM = !!members.ignoreBOM;
      const made = decoder(label, fatal, ignoreBOM);
      if (made === undefined) {
        throw failure(RangeError, 'ERR_ENCODING_NOT_SUPPORTED', `The "${label}" encoding is not supported`);
      }
      this.#encoding = made[0];
      this.#fatal = fatal;
      this.#ignoreBOM = ignoreBOM;
      this.#decode = made[1];
    }

    get encoding() {
      TextDecoder.#check(this);
      return this.#encoding;
    }

    get fatal() {
      TextDecoder.#check(this);
      return this.#fatal;
    }

    get ignoreBOM() {
      TextDecoder.#check(this);
      return this.#ignoreBOM;
    }

    decode(input = undefined, options = undefined) {
      TextDecoder.#check(this);
      const bytes = input === undefined ? new Uint8Array(0) : host.isObject(input) ? bytesOf(input) : undefined;
      if (bytes === undefined) {
        throw badType('The "list" argument must be an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView.');
      }
      const streams = !!dictionary(options, 'options').stream;
      const length = apply(host.typedLength, bytes, []);
      let text = '';
      let start = 0;
      do {
        const end = start + AT_ONCE < length ? start + AT_ONCE : length;
        const part = this.#decode(bytes, start, end, end === length && !streams);
        if (part === undefined) {
          const message = `The encoded data was not valid for encoding ${this.#encoding}`;
          throw failure(TypeError, 'ERR_ENCODING_INVALID_ENCODED_DATA', message);
        }
        text += part;
        start = end;
      } while (start < length);
      return text;
    }
  }
  finish(TextEncoder, 'TextEncoder');
  finish(TextDecoder, 'TextDecoder');

  function show(value) {
    if (isEncoder(value)) return { __proto__: null, record: { encoding: 'utf-8' }, deep: 'object', name: '' };
    if (isDecoder(value)) return { __proto__: null, record: record(value), deep: 'braces' };
    return undefined;
  }

  return { __proto__: null, TextEncoder, TextDecoder, show };
});
