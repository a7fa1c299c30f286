// A loop without an end. Stop works all the same, and the page stays as quick as ever.
let turns = 0;
while (true) {
  turns++;
  if (turns % 5_000_000 === 0) console.log(`${turns / 1e6} million turns`);
}
