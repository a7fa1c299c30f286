// A file whose name ends in .ts is TypeScript; imports may write .js for it.
interface HasArea {
  area(): number;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

export function table(shapes: HasArea[]): void {
  console.table(shapes.map((shape) => ({ shape: shape.constructor.name, area: round(shape.area()) })));
}
