// prompt, confirm and alert wait for your answer below the console; the time limit waits too.
const questions = [
  { ask: "What is 6 × 7?", answer: "42" },
  { ask: "Which keyword declares what never changes its value?", answer: "const" },
  { ask: "What is typeof null?", answer: "object" },
];

const name = prompt("What is your name?") || "stranger";
let right = 0;

for (const { ask, answer } of questions) {
  const given = (prompt(ask) ?? "").trim().toLowerCase();
  if (given === answer) {
    right++;
    console.log(`✓ ${ask} ${answer}`);
  } else {
    console.warn(`✗ ${ask} It is ${answer}, not ${given || "nothing"}.`);
  }
}

`${name}: ${right} of ${questions.length}`;
