// Changes and their intervals as text, for the report and the history page. Keep the same as `model::number_text`.

// From this fraction on (a factor of ten), changes are printed as factors.
const FACTOR = 9;
// A larger end of an interval means that nothing limits the change.
const HUGE = 1e12;

function factor(value) {
  if (value < 1) return value.toFixed(2) + "×";
  return (value < 1e4 ? value.toFixed(1) : value.toExponential(1).replace("e+", "e")) + "×";
}

function signedPercent(fraction) {
  const percent = Math.abs(fraction * 100);
  if (percent < 0.05) return "0.0%";
  const size = percent < 1e3 ? percent.toFixed(1) : percent < 1e7 ? Math.round(percent).toLocaleString("en") : percent.toExponential(1).replace("e+", "e");
  return (fraction < 0 ? "−" : "+") + size + "%";
}

const changeText = (fraction) => (fraction >= FACTOR ? factor(1 + fraction) : signedPercent(fraction));

// Both ends have the notation of the change.
function intervalText(by, low, high) {
  const limited = by >= FACTOR ? (end) => factor(1 + end) : signedPercent;
  const text = (end) => (end > HUGE ? "∞" : limited(end));
  return text(low) + " … " + text(high);
}
