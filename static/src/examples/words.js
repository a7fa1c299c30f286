// Strings and regular expressions.
const text = `It was the best of times, it was the worst of times,
it was the age of wisdom, it was the age of foolishness …`;

const words = text.toLowerCase().match(/\p{Letter}+/gu);
console.log(words.length, "words,", new Set(words).size, "different ones");

const counts = {};
for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
const ranking = Object.entries(counts).sort(([, a], [, b]) => b - a);
for (const [word, count] of ranking.slice(0, 4)) console.log(word.padEnd(6), "▪".repeat(count));

// Named groups, and a function that makes the replacement.
const date = /(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)/;
console.log("2031-04-09".replace(date, "$<day>.$<month>.$<year>"));
console.log("snake_case_name".replace(/_(\w)/g, (_, letter) => letter.toUpperCase()));
console.log([..."añ😀"].map((sign) => sign.codePointAt(0).toString(16)));

text.replace(/\b(\w)(\w*)/g, (_, first, rest) => first.toUpperCase() + rest);
