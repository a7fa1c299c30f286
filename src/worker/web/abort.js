// AbortController and AbortSignal.
(function (host) {
  'use strict';
  const { apply, badThis, badType, demand, DOMException, Event, EventTarget, failure, finish } = host;
  const { fire, forget, illegal, isObject, iterator, listen, list, RangeError, setSignalTimer } = host;

  const MOST_DELAY = 4294967295;

  let mayConstruct = false;
  let abort;
  let isSignal;
  let isAborted;
  let follow;

  /** A signal of the host's own making. */
  function create() {
    mayConstruct = true;
    try {
      return new AbortSignal();
    } finally {
      mayConstruct = false;
    }
  }

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    // What is to be done when it happens, in order, and the signals that follow this one.
    #steps = list();
    #followers = list();
    #sources = list();
    #isDependent = false;
    #handler = null;
    #listener = undefined;

    static {
      isSignal = (value) => #aborted in value;
      isAborted = (signal) => signal.#aborted;
      host.isSignal = isSignal;
      host.isAborted = isAborted;
      host.whenAborted = (signal, step) => {
        signal.#steps[signal.#steps.length] = step;
      };

      const mark = (signal, reason) => {
        signal.#aborted = true;
        signal.#reason = reason;
      };
      const tell = (signal) => {
        const steps = signal.#steps;
        signal.#steps = list();
        for (let at = 0; at < steps.length; at++) steps[at]();
        fire(signal, new Event('abort'), true);
      };
      abort = (signal, reason) => {
        if (signal.#aborted) return;
        mark(signal, reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason);
        const also = list();
        const followers = signal.#followers;
        signal.#followers = list();
        for (let at = 0; at < followers.length; at++) {
          if (followers[at].#aborted) continue;
          mark(followers[at], signal.#reason);
          also[also.length] = followers[at];
        }
        tell(signal);
        for (let at = 0; at < also.length; at++) tell(also[at]);
      };

      // Makes `signal` follow those in `sources`; of one that follows others itself, those others.
      follow = (signal, sources) => {
        signal.#isDependent = true;
        for (let at = 0; at < sources.length; at++) {
          if (!sources[at].#aborted) continue;
          mark(signal, sources[at].#reason);
          return;
        }
        const link = (source) => {
          for (let at = 0; at < signal.#sources.length; at++) {
            if (signal.#sources[at] === source) return;
          }
          signal.#sources[signal.#sources.length] = source;
          source.#followers[source.#followers.length] = signal;
        };
        for (let at = 0; at < sources.length; at++) {
          const source = sources[at];
          if (!source.#isDependent) link(source);
          else for (let inner = 0; inner < source.#sources.length; inner++) link(source.#sources[inner]);
        }
      };
    }

    static #check(value) {
      if (!isObject(value) || !(#aborted in value)) throw badThis('AbortSignal');
      return value;
    }

    constructor() {
      if (!mayConstruct) throw illegal();
      super();
    }

    static abort(reason = undefined) {
      const signal = create();
      abort(signal, reason);
      return signal;
    }

    static timeout(delay) {
      if (typeof delay !== 'number') throw badType('The "delay" argument must be of type number.');
      if (!(delay >= 0 && delay <= MOST_DELAY) || delay % 1 !== 0) {
        const message = `The value of "delay" is out of range. It must be >= 0 && <= ${MOST_DELAY}. Received ${delay}`;
        throw failure(RangeError, 'ERR_OUT_OF_RANGE', message);
      }
      const signal = create();
      setSignalTimer(() => {
        abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
      }, delay);
      return signal;
    }

    static any(signals) {
      demand(arguments.length, 1, '"signals" argument');
      if (!isObject(signals) || typeof signals[iterator] !== 'function') {
        throw badType('The "signals" argument must be an instance of Array.');
      }
      const sources = list();
      for (const signal of signals) {
        if (!isObject(signal) || !isSignal(signal)) {
          throw badType(`The "signals[${sources.length}]" argument must be an instance of AbortSignal.`);
        }
        sources[sources.length] = signal;
      }
      const signal = create();
      follow(signal, sources);
      return signal;
    }

    get aborted() {
      return AbortSignal.#check(this).#aborted;
    }

    get reason() {
      return AbortSignal.#check(this).#reason;
    }

    throwIfAborted() {
      AbortSignal.#check(this);
      if (this.#aborted) throw this.#reason;
    }

    get onabort() {
      return AbortSignal.#check(this).#handler;
    }

    set onabort(handler) {
      AbortSignal.#check(this);
      this.#handler = isObject(handler) ? handler : null;
      if (this.#handler === null) {
        if (this.#listener !== undefined) forget(this, 'abort', this.#listener);
        this.#listener = undefined;
      } else if (this.#listener === undefined) {
        const signal = this;
        const listener = function (event) {
          if (typeof signal.#handler === 'function') apply(signal.#handler, signal, [event]);
        };
        this.#listener = listen(this, 'abort', listener, false, false, false);
      }
    }
  }
  finish(AbortSignal, 'AbortSignal');

  let isController;
  let signalOf;

  class AbortController {
    #signal = create();

    static {
      isController = (value) => #signal in value;
      signalOf = (controller) => controller.#signal;
    }

    static #check(value) {
      if (!isObject(value) || !(#signal in value)) throw badThis('AbortController');
      return value.#signal;
    }

    get signal() {
      return AbortController.#check(this);
    }

    abort(reason = undefined) {
      abort(AbortController.#check(this), reason);
    }
  }
  finish(AbortController, 'AbortController');

  function show(value) {
    if (isSignal(value)) return { __proto__: null, record: { aborted: isAborted(value) }, deep: 'bracketed' };
    if (isController(value)) return { __proto__: null, record: { signal: signalOf(value) }, deep: 'braces' };
    return undefined;
  }

  return { __proto__: null, AbortController, AbortSignal, show };
});
