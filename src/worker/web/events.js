// Event, CustomEvent and EventTarget, for targets that have no parents.
(function (host) {
  'use strict';
  const { apply, badThis, badType, demand, dictionary, DOMException, finish, isObject, now } = host;
  const { defineProperty, queueMicrotask, TypeError } = host;

  const NONE = 0;
  const AT_TARGET = 2;

  let dispatch;
  let forbidPrevention;
  let isEvent;
  let recordOf;
  let isTarget;
  let listen;
  let forget;

  class Event {
    #type;
    #bubbles;
    #cancelable;
    #composed;
    #trusted = false;
    #canceled = false;
    #stopped = false;
    #stoppedNow = false;
    #dispatching = false;
    #passive = false;
    #target = null;
    #current = null;
    #time = now();

    static {
      isEvent = (value) => #type in value;
      recordOf = (event) => ({
        type: event.#type,
        defaultPrevented: event.#canceled,
        cancelable: event.#cancelable,
        timeStamp: event.#time,
      });
      forbidPrevention = (event, passive) => {
        event.#passive = passive;
      };
      // Runs `visit` with the event on its way, and says whether its default may happen.
      dispatch = (event, target, trusted, visit) => {
        if (event.#dispatching) {
          throw new DOMException('The event is already being dispatched', 'InvalidStateError');
        }
        event.#trusted = trusted;
        event.#dispatching = true;
        event.#target = target;
        event.#current = target;
        if (!event.#stopped) visit(event.#type, () => event.#stoppedNow);
        event.#current = null;
        event.#dispatching = false;
        event.#stopped = false;
        event.#stoppedNow = false;
        return !event.#canceled;
      };
    }

    static #check(value) {
      if (!isObject(value) || !(#type in value)) throw badThis('Event');
      return value;
    }

    constructor(type, options = undefined) {
      demand(arguments.length, 1, '"type" argument');
      type = `${type}`;
      const members = dictionary(options, 'options');
      this.#bubbles = !!members.bubbles;
      this.#cancelable = !!members.cancelable;
      this.#composed = !!members.composed;
      this.#type = type;
    }

    initEvent(type, bubbles = false, cancelable = false) {
      Event.#check(this);
      demand(arguments.length, 1, '"type" argument');
      type = `${type}`;
      if (this.#dispatching) return;
      this.#type = type;
      this.#bubbles = !!bubbles;
      this.#cancelable = !!cancelable;
      this.#canceled = false;
      this.#stopped = false;
      this.#stoppedNow = false;
      this.#trusted = false;
      this.#target = null;
    }

    get type() {
      return Event.#check(this).#type;
    }

    get target() {
      return Event.#check(this).#target;
    }

    get currentTarget() {
      return Event.#check(this).#current;
    }

    get srcElement() {
      return Event.#check(this).#target;
    }

    get eventPhase() {
      return Event.#check(this).#dispatching ? AT_TARGET : NONE;
    }

    get bubbles() {
      return Event.#check(this).#bubbles;
    }

    get cancelable() {
      return Event.#check(this).#cancelable;
    }

    get composed() {
      return Event.#check(this).#composed;
    }

    get defaultPrevented() {
      return Event.#check(this).#canceled;
    }

    get returnValue() {
      return !Event.#check(this).#canceled;
    }

    set returnValue(value) {
      Event.#check(this);
      if (!value) this.#prevent();
    }

    get cancelBubble() {
      return Event.#check(this).#stopped;
    }

    set cancelBubble(value) {
      Event.#check(this);
      if (value) this.#stopped = true;
    }

    get isTrusted() {
      return Event.#check(this).#trusted;
    }

    get timeStamp() {
      return Event.#check(this).#time;
    }

    composedPath() {
      Event.#check(this);
      return this.#dispatching ? [this.#current] : [];
    }

    stopPropagation() {
      Event.#check(this).#stopped = true;
    }

    stopImmediatePropagation() {
      Event.#check(this);
      this.#stopped = true;
      this.#stoppedNow = true;
    }

    preventDefault() {
      Event.#check(this);
      this.#prevent();
    }

    #prevent() {
      if (this.#cancelable && !this.#passive) this.#canceled = true;
    }
  }
  finish(Event, 'Event');
  const phases = ['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE'];
  for (let phase = 0; phase < 4; phase++) {
    const property = { __proto__: null, value: phase, enumerable: true };
    defineProperty(Event, phases[phase], property);
    defineProperty(Event.prototype, phases[phase], property);
  }

  class CustomEvent extends Event {
    #detail;

    static #check(value) {
      if (!isObject(value) || !(#detail in value)) throw badThis('CustomEvent');
      return value;
    }

    constructor(type, options = undefined) {
      demand(arguments.length, 1, '"type" argument');
      super(type, options);
      const detail = dictionary(options, 'options').detail;
      this.#detail = detail === undefined ? null : detail;
    }

    get detail() {
      return CustomEvent.#check(this).#detail;
    }

    initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
      CustomEvent.#check(this);
      demand(arguments.length, 1, '"type" argument');
      if (this.eventPhase !== NONE) return;
      this.initEvent(type, bubbles, cancelable);
      this.#detail = detail;
    }
  }
  finish(CustomEvent, 'CustomEvent');

  /** What a listener throws is nobody's to catch: it becomes an uncaught error of the run. */
  function report(error) {
    queueMicrotask(() => {
      throw error;
    });
  }

  /** Calls a listener, which is a function or an object with a `handleEvent`. */
  function call(callback, target, event) {
    try {
      if (typeof callback === 'function') {
        apply(callback, target, [event]);
        return;
      }
      const handle = callback.handleEvent;
      if (typeof handle !== 'function') throw new TypeError('The "handleEvent" of a listener must be a function');
      apply(handle, callback, [event]);
    } catch (error) {
      report(error);
    }
  }

  class EventTarget {
    // For each type the first of its listeners, each of which knows the next.
    #first = { __proto__: null };
    #added = 0;

    static {
      isTarget = (value) => #first in value;

      listen = (target, type, callback, capture, once, passive) => {
        let last = null;
        for (let here = target.#first[type]; here !== undefined; here = here.next) {
          if (here.callback === callback && here.capture === capture) return undefined;
          last = here;
        }
        const number = ++target.#added;
        const added = { __proto__: null, callback, capture, once, passive, number, isGone: false, next: undefined };
        if (last === null) target.#first[type] = added;
        else last.next = added;
        return added;
      };

      forget = (target, type, listener) => {
        if (listener.isGone) return;
        listener.isGone = true;
        let before = null;
        for (let here = target.#first[type]; here !== undefined; here = here.next) {
          if (here === listener) {
            if (before === null) target.#first[type] = here.next;
            else before.next = here.next;
            return;
          }
          before = here;
        }
      };

      host.fire = (target, event, trusted) =>
        dispatch(event, target, trusted, (type, isStopped) => {
          // Listeners that are added on the way are for the next event.
          const newest = target.#added;
          let here = target.#first[type];
          while (here !== undefined && here.number <= newest) {
            if (!here.isGone) {
              if (here.once) forget(target, type, here);
              forbidPrevention(event, here.passive);
              call(here.callback, target, event);
              forbidPrevention(event, false);
              if (isStopped()) return;
            }
            here = here.next;
          }
        });
    }

    static #check(value) {
      if (!isObject(value) || !(#first in value)) throw badThis('EventTarget');
    }

    addEventListener(type, listener, options = undefined) {
      EventTarget.#check(this);
      demand(arguments.length, 2, '"type" and "listener" arguments');
      type = `${type}`;
      if (listener !== null && listener !== undefined && !isObject(listener)) {
        throw badType('The "listener" argument must be an instance of EventListener.');
      }
      let capture = false;
      let once = false;
      let passive = false;
      let signal;
      if (isObject(options)) {
        capture = !!options.capture;
        once = !!options.once;
        passive = !!options.passive;
        signal = options.signal;
      } else {
        capture = !!options;
      }
      if (signal !== undefined && !(isObject(signal) && host.isSignal !== undefined && host.isSignal(signal))) {
        throw badType('The "options.signal" property must be an instance of AbortSignal.');
      }
      if (listener === null || listener === undefined || (signal !== undefined && host.isAborted(signal))) return;
      const added = listen(this, type, listener, capture, once, passive);
      if (added !== undefined && signal !== undefined) host.whenAborted(signal, () => forget(this, type, added));
    }

    removeEventListener(type, listener, options = undefined) {
      EventTarget.#check(this);
      demand(arguments.length, 2, '"type" and "listener" arguments');
      type = `${type}`;
      const capture = !!(isObject(options) ? options.capture : options);
      for (let here = this.#first[type]; here !== undefined; here = here.next) {
        if (here.callback === listener && here.capture === capture) {
          forget(this, type, here);
          return;
        }
      }
    }

    dispatchEvent(event) {
      EventTarget.#check(this);
      demand(arguments.length, 1, '"event" argument');
      if (!isObject(event) || !isEvent(event)) {
        throw badType('The "event" argument must be an instance of Event.');
      }
      return host.fire(this, event, false);
    }
  }
  finish(EventTarget, 'EventTarget');

  host.Event = Event;
  host.EventTarget = EventTarget;
  host.listen = listen;
  host.forget = forget;

  function show(value) {
    if (isEvent(value)) return { __proto__: null, record: recordOf(value), deep: 'bare' };
    if (isTarget(value) && !(host.isSignal !== undefined && host.isSignal(value))) {
      return { __proto__: null, record: {}, deep: 'bare' };
    }
    return undefined;
  }

  return { __proto__: null, Event, CustomEvent, EventTarget, show };
});
