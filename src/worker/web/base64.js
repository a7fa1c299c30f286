// atob and btoa. Strings stand for bytes here: one unit, one byte.
(function (host) {
  'use strict';
  const { demand, DOMException, fromBase64, toBase64 } = host;

  function atob(input) {
    demand(arguments.length, 1, '"input" argument');
    const text = fromBase64(`${input}`);
    if (text === undefined) throw new DOMException('Invalid character', 'InvalidCharacterError');
    return text;
  }

  function btoa(input) {
    demand(arguments.length, 1, '"input" argument');
    const text = toBase64(`${input}`);
    if (text === undefined) throw new DOMException('Invalid character', 'InvalidCharacterError');
    return text;
  }

  return { __proto__: null, atob, btoa };
});
