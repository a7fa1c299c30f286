// Each tab is a module. The value of the run is what this one exports as default.
import { Circle, Square } from "./shapes.js";
import { round, table } from "./format.js";

const shapes = [new Circle(1), new Circle(2), new Square(3)];

table(shapes);

const areas = shapes.map((shape) => shape.area());
export default round(Math.max(...areas));
