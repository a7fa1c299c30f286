// Private fields, getters, inheritance, and an object that can be iterated.
class Shape {
  static #made = 0;
  #name;

  constructor(name) {
    this.#name = name;
    Shape.#made++;
  }

  static get made() {
    return Shape.#made;
  }

  get area() {
    throw new Error(`${this.#name} has no area`);
  }

  toString() {
    return `${this.#name} of area ${this.area.toFixed(2)}`;
  }
}

class Circle extends Shape {
  constructor(radius) {
    super("circle");
    this.radius = radius;
  }

  get area() {
    return Math.PI * this.radius ** 2;
  }
}

class Rectangle extends Shape {
  constructor(width, height) {
    super("rectangle");
    Object.assign(this, { width, height });
  }

  get area() {
    return this.width * this.height;
  }

  *[Symbol.iterator]() {
    yield* [this.width, this.height];
  }
}

const shapes = [new Circle(1), new Rectangle(2, 3)];
for (const shape of shapes) console.log(`${shape}`);
console.log("sides:", ...shapes[1]);

try {
  `${new Shape("idea")}`;
} catch (error) {
  console.error(error.message);
}

`${Shape.made} shapes`;
