/** What a letter after a backslash stands for in Python's strings, regular expressions and replacements alike. */
export const pythonEscapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

/** In a string literal, quotes and the end of the line as well. */
export const pythonStringEscapes: Readonly<Record<string, string>> = {
  ...pythonEscapes,
  "'": "'",
  '"': '"',
  "\n": "",
};
