function split(text) { return text.split(' ').map((word) => word.replace(/[.,]/g, '')); }
function count(words, slow) {
  const found = {};
  for (const word of words) {
    if (slow) words = words.slice().sort();
    found[word] = (found[word] || 0) + 1;
  }
  return found;
}
function main(slow) {
  const text = 'one two three, four. '.repeat(30);
  let n = 0;
  for (let i = 0; i < 600; i++) n += Object.keys(count(split(text), slow && true)).length;
  return n;
}
main(process.argv.length > 2);
