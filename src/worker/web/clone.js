// structuredClone. The values of a graph are cloned in the order in which the standard serialises them, but without recursion, so
// that a deep graph needs memory and no stack.
(function (host) {
  'use strict';
  const { apply, BUFFER, classOf, defineProperty, demand, describe, DOMException, failure, getTag, hasOwn } = host;
  const { isObject, isPlatform, iterator, keys, list, setPrototypeOf } = host;
  const { SHARED, VIEW, TypeError } = host;

  const MAP = classOf(new host.Map());
  const SET = classOf(new host.Set());
  const DATE = classOf(new host.Date(0));
  const REGEXP = classOf(new host.RegExp('', ''));
  const NUMBER = classOf(new host.Object(0));
  const STRING = classOf(new host.Object(''));
  const BOOLEAN = classOf(new host.Object(false));
  const BIGINT = classOf(new host.Object(0n));
  const ERROR = classOf(new host.Error(''));
  const DOM_EXCEPTION = classOf(new DOMException('', ''));
  const OBJECT = classOf({});
  const ARRAY = classOf([]);

  const fail = (message) => new DOMException(message, 'DataCloneError');

  const isDetached = (buffer) => apply(host.bufferDetached, buffer, []);

  /** The constructor for a name that an error may have in a clone. */
  function errorType(name) {
    switch (name) {
      case 'EvalError':
        return host.EvalError;
      case 'RangeError':
        return host.RangeError;
      case 'ReferenceError':
        return host.ReferenceError;
      case 'SyntaxError':
        return host.SyntaxError;
      case 'TypeError':
        return host.TypeError;
      case 'URIError':
        return host.URIError;
      default:
        return host.Error;
    }
  }

  /** What is thrown for a value that cannot be cloned. */
  function refuse(value) {
    return fail(`${host.nameOf(value)} could not be cloned.`);
  }

  /** One call's clones. Each is made empty, and filled by the work that is kept here. */
  class Cloner {
    #clones = new host.Map();
    #transferred = new host.Map();
    // What is being filled, innermost first.
    #work = null;

    /** Notes buffers that are to be moved. */
    transfer(buffers) {
      for (let at = 0; at < buffers.length; at++) {
        const buffer = buffers[at];
        if (apply(host.mapHas, this.#transferred, [buffer])) {
          throw fail('Transfer list contains duplicate ArrayBuffer');
        }
        apply(host.mapSet, this.#transferred, [buffer, undefined]);
      }
    }

    clone(value) {
      const clone = this.#one(value);
      while (this.#work !== null) this.#step(this.#work);
      return clone;
    }

    /** Moves what was to be moved, now that no script runs any more. */
    finishTransfer(buffers) {
      for (let at = 0; at < buffers.length; at++) {
        if (isDetached(buffers[at])) throw fail('An ArrayBuffer is detached and could not be cloned.');
      }
      for (let at = 0; at < buffers.length; at++) {
        const target = apply(host.mapGet, this.#transferred, [buffers[at]]);
        if (target !== undefined) {
          const bytes = new host.Uint8Array(buffers[at]);
          apply(host.setBytes, new host.Uint8Array(target), [bytes]);
        }
        apply(host.bufferTransfer, buffers[at], []);
      }
    }

    #remember(value, clone) {
      apply(host.mapSet, this.#clones, [value, clone]);
      return clone;
    }

    #push(frame) {
      frame.outer = this.#work;
      this.#work = frame;
    }

    /** One value, without what is inside of it. */
    #one(value) {
      if (typeof value === 'symbol' || typeof value === 'function') throw refuse(value);
      if (typeof value !== 'object' || value === null) return value;
      const known = apply(host.mapGet, this.#clones, [value]);
      if (known !== undefined) return known;
      switch (classOf(value)) {
        case OBJECT:
          if (isPlatform(value)) throw refuse(value);
          return this.#record(value, setPrototypeOf({}, null), host.ObjectPrototype);
        case ARRAY: {
          const clone = list();
          clone.length = value.length;
          return this.#record(value, clone, host.ArrayPrototype);
        }
        case MAP: {
          const pairs = list();
          const take = (inner, key) => {
            pairs[pairs.length] = key;
            pairs[pairs.length] = inner;
          };
          apply(host.mapForEach, value, [take]);
          return this.#collection(value, new host.Map(), pairs, host.mapSet);
        }
        case SET: {
          const items = list();
          const take = (item) => {
            items[items.length] = item;
          };
          apply(host.setForEach, value, [take]);
          return this.#collection(value, new host.Set(), items, undefined);
        }
        case DATE:
          return this.#remember(value, new host.Date(apply(host.dateTime, value, [])));
        case REGEXP:
          return this.#remember(value, new host.RegExp(apply(host.regexpSource, value, []), host.regexpFlags(value)));
        case NUMBER:
          return this.#remember(value, new host.Object(apply(host.numberValue, value, [])));
        case STRING:
          return this.#remember(value, new host.Object(apply(host.stringValue, value, [])));
        case BOOLEAN:
          return this.#remember(value, new host.Object(apply(host.booleanValue, value, [])));
        case BIGINT:
          return this.#remember(value, new host.Object(apply(host.bigintValue, value, [])));
        case ERROR:
          return this.#error(value);
        case DOM_EXCEPTION:
          return this.#domException(value);
        case BUFFER:
          return this.#buffer(value);
        case SHARED:
          // There is one thread, which is all that could share it.
          return value;
        case VIEW:
          return this.#view(value);
        default:
          if (apply(getTag, value, []) !== undefined) return this.#typed(value);
          throw refuse(value);
      }
    }

    #record(value, clone, prototype) {
      this.#remember(value, clone);
      this.#push({ __proto__: null, value, clone, prototype, keys: keys(value), at: 0, outer: null });
      return clone;
    }

    #collection(value, clone, items, set) {
      this.#remember(value, clone);
      this.#push({ __proto__: null, value, clone, items, set, at: 0, key: undefined, outer: null });
      return clone;
    }

    /** Goes on with what is being filled, by one value. */
    #step(frame) {
      const at = frame.at;
      if (frame.items !== undefined) {
        if (at === frame.items.length) {
          this.#work = frame.outer;
          return;
        }
        frame.at++;
        const inner = this.#one(frame.items[at]);
        if (frame.set === undefined) apply(host.setAdd, frame.clone, [inner]);
        else if (at % 2 === 0) frame.key = inner;
        else apply(host.mapSet, frame.clone, [frame.key, inner]);
        return;
      }
      if (frame.property !== undefined) {
        // The cause of an error.
        this.#work = frame.outer;
        const property = { __proto__: null, value: this.#one(frame.value), writable: true, configurable: true };
        defineProperty(frame.clone, frame.property, property);
        return;
      }
      if (at === frame.keys.length) {
        this.#work = frame.outer;
        setPrototypeOf(frame.clone, frame.prototype);
        return;
      }
      frame.at++;
      const key = frame.keys[at];
      // Without a prototype there is no setter in the way.
      if (hasOwn(frame.value, key)) frame.clone[key] = this.#one(frame.value[key]);
    }

    #error(value) {
      const name = value.name;
      const Type = errorType(name === undefined ? 'Error' : `${name}`);
      const message = describe(value, 'message');
      const clone = new Type();
      this.#remember(value, clone);
      const define = (key, inner) => {
        defineProperty(clone, key, { __proto__: null, value: inner, writable: true, configurable: true });
      };
      if (message !== undefined && hasOwn(message, 'value')) define('message', `${message.value}`);
      const stack = value.stack;
      if (typeof stack === 'string') apply(host.setStack, clone, [stack]);
      const cause = describe(value, 'cause');
      if (cause !== undefined && hasOwn(cause, 'value')) {
        this.#push({ __proto__: null, clone, value: cause.value, property: 'cause', outer: null });
      }
      return clone;
    }

    #domException(value) {
      const message = apply(host.domMessage, value, []);
      const clone = new DOMException(message, apply(host.domName, value, []));
      const stack = describe(value, 'stack');
      if (stack !== undefined && typeof stack.value === 'string') {
        defineProperty(clone, 'stack', { __proto__: null, value: stack.value, writable: true, configurable: true });
      }
      return this.#remember(value, clone);
    }

    #buffer(value) {
      if (isDetached(value)) throw fail('An ArrayBuffer is detached and could not be cloned.');
      const length = apply(host.bufferLength, value, []);
      const isResizable = apply(host.bufferResizable, value, []);
      const most = apply(host.bufferMaxLength, value, []);
      const isMoved = apply(host.mapHas, this.#transferred, [value]);
      const options = { __proto__: null, maxByteLength: most };
      const clone = isResizable ? new host.ArrayBuffer(length, options) : new host.ArrayBuffer(length);
      if (isMoved) apply(host.mapSet, this.#transferred, [value, clone]);
      else if (length > 0) apply(host.setBytes, new host.Uint8Array(clone), [new host.Uint8Array(value)]);
      return this.#remember(value, clone);
    }

    /** The clone of the buffer behind a view. */
    #behind(buffer) {
      if (classOf(buffer) === SHARED) return buffer;
      const known = apply(host.mapGet, this.#clones, [buffer]);
      return known === undefined ? this.#buffer(buffer) : known;
    }

    #view(value) {
      const buffer = this.#behind(apply(host.viewBuffer, value, []));
      const offset = apply(host.viewOffset, value, []);
      return this.#remember(value, new host.DataView(buffer, offset, apply(host.viewLength, value, [])));
    }

    #typed(value) {
      const buffer = this.#behind(apply(host.typedBuffer, value, []));
      const offset = apply(host.typedOffset, value, []);
      const Type = host[apply(getTag, value, [])];
      return this.#remember(value, new Type(buffer, offset, apply(host.typedLength, value, [])));
    }
  }

  /** What is to be transferred, read from the option by the script's own iterator. */
  function transferList(options) {
    const buffers = list();
    if (options === undefined || options === null) return buffers;
    if (!isObject(options)) {
      throw host.badType('The options argument must be either an object or undefined');
    }
    const transfer = options.transfer;
    if (transfer === undefined || transfer === null) return buffers;
    if (!isObject(transfer) || typeof transfer[iterator] !== 'function') {
      throw host.badType('Optional transferList argument must be an iterable');
    }
    for (const item of transfer) {
      if (!isObject(item)) throw host.badType('Optional transferList argument must be an iterable');
      if (classOf(item) !== BUFFER) {
        if (classOf(item) === OBJECT) {
          throw failure(TypeError, 'ERR_INVALID_TRANSFER_OBJECT', 'Found invalid object in transferList');
        }
        throw fail('Value not transferable');
      }
      buffers[buffers.length] = item;
    }
    return buffers;
  }

  function structuredClone(value, options = undefined) {
    demand(arguments.length, 1, 'value argument');
    const buffers = transferList(options);
    const cloner = new Cloner();
    cloner.transfer(buffers);
    const clone = cloner.clone(value);
    cloner.finishTransfer(buffers);
    return clone;
  }

  return { __proto__: null, structuredClone };
});
