// What classes with decorators become is a call of this function: it gets the evaluated decorators of the class, and a function
// that defines the class with the help of a `Definition`. A decorator comes as a pair with the object that it is a method of.
(() => {
  "use strict";
  const { create, defineProperty, freeze, getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const { apply, deleteProperty, ownKeys } = Reflect;
  if (!Symbol.metadata) defineProperty(Symbol, "metadata", { value: Symbol("Symbol.metadata") });
  const metadataKey = Symbol.metadata;

  const callable = (value, what) => {
    if (typeof value !== "function") throw new TypeError(`${what} must be a function`);
    return value;
  };
  const add = (list, value) => defineProperty(list, list.length, { value, writable: true, configurable: true, enumerable: true });
  const runAll = (list, self) => {
    for (let i = 0; i < list.length; i++) apply(list[i], self, []);
  };

  // Calls decorators, the innermost first. `accept` takes what one returns and gives the value for the next one.
  const decorate = (decorators, value, details, extras, accept) => {
    for (let i = decorators.length - 1; i >= 0; i--) {
      const decorator = callable(decorators[i][0], "A decorator");
      let isFinished = false;
      const addInitializer = (initializer) => {
        if (isFinished) throw new TypeError("An initializer can only be added while the decorator runs");
        add(extras, callable(initializer, "An initializer"));
      };
      const context = { ...details, access: details.access && { ...details.access }, addInitializer };
      if (!details.access) delete context.access;
      let result;
      try {
        result = apply(decorator, decorators[i][1], [value, context]);
      } finally {
        isFinished = true;
      }
      if (result !== undefined) value = accept(result, value);
    }
    return value;
  };

  const accessTo = (kind, key) => {
    const access = { has: (object) => key in object };
    if (kind !== "setter") access.get = (object) => object[key];
    if (kind !== "method" && kind !== "getter") access.set = (object, value) => { object[key] = value; };
    return access;
  };
  // Keys are converted once, as the engine does.
  const keyOf = (value) => {
    if (typeof value === "symbol") return value;
    const type = typeof value;
    if (value === null || (type !== "object" && type !== "function")) return `${value}`;
    return ownKeys({ [value]: 0 })[0];
  };

  class Definition {
    #decorators;
    #elements = [];
    #hidden = [];
    #later = [];
    #extras = [];
    #classExtras = [];
    /** The class as it was written, and as its decorators leave it. */
    F;
    #class;
    constructor(decorators) { this.#decorators = decorators; }

    #note(kind, isStatic, decorators, name, isPrivate, key, access) {
      const element = { kind, isStatic, decorators, name, isPrivate, key, access, inits: [], extras: [], value: undefined };
      add(this.#elements, element);
      return element;
    }
    // The key of an element with decorators.
    k(kind, isStatic, decorators, value) {
      const key = keyOf(value);
      this.#note(kind, !!isStatic, decorators, key, false, key, accessTo(kind, key));
      return key;
    }
    // A private element: its functions are defined under a symbol, taken from there, and called by what has the private name.
    p(kind, isStatic, decorators, name, access) {
      const key = Symbol();
      this.#note(kind, !!isStatic, decorators, name, true, key, access);
      add(this.#hidden, { key, isStatic: kind === "field" || !!isStatic });
      return key;
    }
    // A static field, and a static block, of a class with decorators of its own: their code is a method that is called later.
    f(decorators, value) {
      const key = keyOf(value);
      const element = this.#note("field", true, decorators, key, false, key, accessTo("field", key));
      return this.#put(element);
    }
    b() { return this.#put(undefined); }
    #put(element) {
      const key = Symbol();
      add(this.#later, { key, element, body: undefined });
      return key;
    }
    q(index) { return this.#elements[index].key; }
    m(index) { return this.#elements[index].name; }
    v(index) { return this.#elements[index].value.value; }
    g(index, self) { return apply(this.#elements[index].value.get, self, []); }
    t(index, self, value) { apply(this.#elements[index].value.set, self, [value]); }
    i(index, self, value) {
      const { inits } = this.#elements[index];
      for (let i = inits.length - 1; i >= 0; i--) value = apply(inits[i], self, [value]);
      return value;
    }
    w(index, self, named) { return this.i(index, self, named[this.m(index)]); }
    x(index, self) { runAll(this.#elements[index].extras, self); }
    e(self) { runAll(this.#extras, self); }

    // Applies all decorators to the class.
    a(F, hasStaticPrivates) {
      this.F = this.#class = F;
      for (let i = 0; i < this.#later.length; i++) {
        const one = this.#later[i];
        one.body = F[one.key];
        deleteProperty(F, one.key);
      }
      const elements = this.#elements;
      let isDecorated = this.#decorators.length > 0;
      for (let i = 0; i < elements.length; i++) {
        const element = elements[i];
        isDecorated ||= element.decorators.length > 0;
        const target = element.isStatic ? F : F.prototype;
        if (element.kind !== "field") element.value = getOwnPropertyDescriptor(target, element.key);
      }
      for (let i = 0; i < this.#hidden.length; i++) {
        const { key, isStatic } = this.#hidden[i];
        deleteProperty(isStatic ? F : F.prototype, key);
      }
      const parent = isDecorated ? getPrototypeOf(F)?.[metadataKey] : undefined;
      const metadata = isDecorated ? create(parent ?? null) : undefined;
      const staticExtras = [];
      for (let pass = 0; pass < 4; pass++) {
        for (let i = 0; i < elements.length; i++) {
          const element = elements[i];
          if ((element.kind === "field") === pass > 1 && element.isStatic === (pass % 2 === 0)) this.#apply(element, metadata, staticExtras);
        }
      }
      if (this.#decorators.length) {
        const details = { kind: "class", name: F.name, metadata };
        const accept = (result) => callable(result, "What a class decorator returns");
        this.#class = decorate(this.#decorators, F, details, this.#classExtras, accept);
        if (this.#class !== F && hasStaticPrivates) {
          throw new TypeError("A class with private static members or static accessors cannot be replaced by its decorator");
        }
      }
      if (isDecorated) {
        defineProperty(this.#class, metadataKey, { value: metadata, writable: true, enumerable: true, configurable: true });
      }
      runAll(staticExtras, this.#class);
      return this.#class;
    }

    #apply(element, metadata, staticExtras) {
      const { kind, isStatic, isPrivate, name, key, decorators, access, inits, value } = element;
      const target = isStatic ? this.F : this.F.prototype;
      const hasOwnExtras = kind === "field" || kind === "accessor";
      const extras = hasOwnExtras ? element.extras : isStatic ? staticExtras : this.#extras;
      const details = { kind, name, static: isStatic, private: isPrivate, access, metadata };
      const returned = `What a ${kind} decorator returns`;
      const rename = (part, prefix) => isPrivate && value[part] && defineProperty(value[part], "name", { value: prefix + name, configurable: true });
      if (kind === "field") {
        decorate(decorators, undefined, details, extras, (result) => { add(inits, callable(result, returned)); });
        return;
      }
      rename("value", "");
      rename("get", "get ");
      rename("set", "set ");
      if (!decorators.length) return;
      if (kind === "accessor") {
        const accept = (result, before) => {
          if (result === null || (typeof result !== "object" && typeof result !== "function")) throw new TypeError(`${returned} must be an object`);
          const { get, set, init } = result;
          if (get !== undefined) callable(get, "The getter of an accessor decorator");
          if (set !== undefined) callable(set, "The setter of an accessor decorator");
          if (init !== undefined) add(inits, callable(init, "The init of an accessor decorator"));
          return { get: get ?? before.get, set: set ?? before.set };
        };
        const { get, set } = decorate(decorators, { get: value.get, set: value.set }, details, extras, accept);
        value.get = get;
        value.set = set;
      } else {
        const part = kind === "getter" ? "get" : kind === "setter" ? "set" : "value";
        value[part] = decorate(decorators, value[part], details, extras, (result) => callable(result, returned));
      }
      if (!isPrivate) {
        // A getter and a setter are two elements, and each changes its own half.
        if (kind === "getter") defineProperty(target, key, { get: value.get });
        else if (kind === "setter") defineProperty(target, key, { set: value.set });
        else defineProperty(target, key, value);
      }
    }

    // Runs what a class with decorators of its own has put off.
    r() {
      const F = this.#class;
      for (let i = 0; i < this.#later.length; i++) {
        const { element, body } = this.#later[i];
        const value = apply(body, F, []);
        if (element) {
          defineProperty(F, element.key, { value, writable: true, enumerable: true, configurable: true });
          runAll(element.extras, F);
        }
      }
      runAll(this.#classExtras, F);
      return F;
    }
  }
  freeze(Definition.prototype);
  const define = (decorators, body) => body(new Definition(decorators));
  define.o = (object, key) => [object[key[0]], object];
  define.p = (object, get) => [get(object), object];
  return freeze(define);
})()
