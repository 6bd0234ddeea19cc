// Changes and their intervals as text, for the report and the history page. Keep the same as `model::number_text`.

// From this fraction on (a factor of ten), changes are printed as factors.
const FACTOR = 9;
// An interval with an upper end from here on (a factor of a hundred) is printed in factors.
const WIDE = 99;
// A larger upper end of an interval means that nothing limits the change. Lower ends are at most this.
const HUGE = 1e12;

// Rounds a tie to the even digit, as Rust does; `toFixed` rounds it up.
function fixed(value, digits) {
  const scaled = value * 10 ** digits;
  const isTie = scaled % 1 === 0.5 && Number.isInteger(value * 2 ** (digits + 1));
  const even = Math.floor(scaled) + (Math.floor(scaled) % 2);
  return (isTie ? even / 10 ** digits : value).toFixed(digits);
}

function factor(value) {
  if (value < 0.005) return "−100%";
  if (value >= Number.MAX_VALUE) return "∞";
  if (value < 1) return fixed(value, 2) + "×";
  if (value < 999.95) return fixed(value, 1) + "×";
  return (value < 1e7 ? Math.round(value).toLocaleString("en-US") : value.toExponential(1).replace("e+", "e")) + "×";
}

function signedPercent(fraction) {
  const percent = Math.abs(fraction * 100);
  if (percent < 0.05) return "0.0%";
  const size = percent < 1e3 ? fixed(percent, 1) : percent < 1e7 ? Math.round(percent).toLocaleString("en") : percent.toExponential(1).replace("e+", "e");
  return (fraction < 0 ? "−" : "+") + size + "%";
}

const changeText = (fraction) => (fraction >= FACTOR ? factor(1 + fraction) : signedPercent(fraction));

// Both ends have the notation of the change or, without one, of the lower end. Very wide intervals are printed in factors.
function intervalText(by, low, high) {
  const isFactor = high >= WIDE || (typeof by === "number" ? by : low) >= FACTOR;
  const limited = isFactor ? (end) => factor(1 + end) : signedPercent;
  return limited(Math.min(low, HUGE)) + " … " + (high > HUGE ? "∞" : limited(high));
}
