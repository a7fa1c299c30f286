// Types are removed before the code runs; nothing checks them here. Enums and generics are compiled.
enum Status {
  InStock,
  Ordered,
  SoldOut,
}

interface Item {
  readonly name: string;
  price: number;
  status: Status;
}

type Total = { items: number; worth: number };

class Inventory<T extends Item> {
  constructor(private readonly items: T[] = []) {}

  add(...items: T[]): this {
    this.items.push(...items);
    return this;
  }

  by<K extends keyof T>(key: K): Map<T[K], T[]> {
    return Map.groupBy(this.items, (item) => item[key]);
  }

  total(): Total {
    const worth = this.items.reduce((sum, { price }) => sum + price, 0);
    return { items: this.items.length, worth };
  }
}

const shop = new Inventory<Item>().add(
  { name: "pen", price: 2, status: Status.InStock },
  { name: "ink", price: 9, status: Status.Ordered },
  { name: "paper", price: 5, status: Status.InStock },
);

for (const [status, items] of shop.by("status")) {
  console.log(Status[status].padEnd(8), items.map(({ name }) => name).join(", "));
}

shop.total() satisfies Total;
