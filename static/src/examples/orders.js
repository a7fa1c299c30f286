// From JSON to a summary: parse, group, sum, and back to JSON.
const json = `[
  { "customer": "Ada",   "item": "pen",   "price": 2.5, "count": 4 },
  { "customer": "Grace", "item": "paper", "price": 0.1, "count": 250 },
  { "customer": "Ada",   "item": "ink",   "price": 9,   "count": 1 },
  { "customer": "Alan",  "item": "pen",   "price": 2.5, "count": 1 }
]`;

const orders = JSON.parse(json).map((order) => ({ ...order, total: order.price * order.count }));

const byCustomer = new Map();
for (const { customer, item, total } of orders) {
  const seen = byCustomer.get(customer) ?? { items: [], total: 0 };
  byCustomer.set(customer, { items: [...seen.items, item], total: seen.total + total });
}

for (const [customer, { items, total }] of byCustomer) {
  console.log(customer.padEnd(6), total.toFixed(2).padStart(6), items.join(", "));
}

console.log(JSON.stringify(Object.fromEntries(byCustomer), null, 2));
orders.toSorted((a, b) => b.total - a.total)[0];
