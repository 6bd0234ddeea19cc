//! Tests of the HTML page in a browser: sorting, filtering and charts work, the console has no errors, and a hostile name
//! is shown as text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::Sandbox;
use common::browser::Browser;
use serde_json::{Value, json};
use std::time::Duration;

/// Texts that a script of the pages makes: `script` gets the input as `input` and returns a list of texts.
fn texts_of_script(files: &[&str], script: &str, input: &Value) -> Vec<String> {
    let html = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/render/html");
    let code: String = files.iter().map(|file| std::fs::read_to_string(html.join(file)).unwrap()).collect();
    let sandbox = Sandbox::new();
    let program = format!("{code}\nconst input = {input};\nconsole.log(JSON.stringify({script}));\n");
    sandbox.write("texts.js", program);
    let output = std::process::Command::new("node").arg(sandbox.path("texts.js")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
#[ignore = "needs node"]
fn the_scripts_print_changes_and_intervals_as_the_other_views_do() {
    let mut changes: Vec<f64> =
        vec![0.0, 1e-4, 4.9e-4, 5e-4, 0.0625, 0.0875, 0.1225, 8.99, 9.0, 11.5, 9998.94, 1e4, 4e6];
    changes.extend((1..400).map(|i| f64::from(i) * 0.0375).chain((1..400).map(|i| f64::from(i).powi(3) * 1e-3)));
    changes.extend((1..80).map(|i| -f64::from(i) / 80.0));
    let expected: Vec<String> = changes.iter().map(|by| perfgate::model::number_text::change(*by)).collect();
    assert_eq!(texts_of_script(&["change.js"], "input.map(changeText)", &json!(changes)), expected);

    let ends = [-1.0, -0.9375, -0.25, 0.0, 0.125, 8.9, 9.5, 2e6, 1e13];
    let by = [None, Some(-0.25), Some(0.125), Some(11.5)];
    let all: Vec<(Option<f64>, [f64; 2])> = by
        .into_iter()
        .flat_map(|by| ends.windows(2).map(move |ends| (by, [ends[0], ends[1]])).collect::<Vec<_>>())
        .collect();
    let expected: Vec<String> =
        all.iter().map(|(by, ends)| perfgate::model::number_text::interval(*by, *ends)).collect();
    let script = "input.map(([by, [low, high]]) => intervalText(by, low, high))";
    assert_eq!(texts_of_script(&["change.js"], script, &json!(all)), expected);
}

/// What a reader does in the table of findings.
trait Table {
    fn rows(&self) -> Vec<String>;
    fn find(&self, text: &str);
    fn sort(&self, column: usize);
}

impl Table for Browser {
    /// The names of the visible rows, in order.
    fn rows(&self) -> Vec<String> {
        let rows = "return [...document.querySelectorAll('table.sortable tbody tr[data-kind]')].filter(r => !r.hidden)\
                    .map(r => r.dataset.name)";
        self.run(rows).as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    fn find(&self, text: &str) {
        self.run(&format!(
            "const s = document.getElementById('search'); s.value = '{text}'; s.dispatchEvent(new Event('input'))"
        ));
    }

    fn sort(&self, column: usize) {
        self.run(&format!("document.querySelectorAll('table.sortable th')[{column}].querySelector('button').click()"));
    }
}

const HOSTILE: &str = "<img src=x onerror=\"document.title='owned'\"></script><script>document.title='owned'</script>";

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn the_page_sorts_and_filters_and_shows_a_hostile_name_as_text() {
    let browser = Browser::start();
    let sandbox = Sandbox::new();
    for i in 0..9_u32 {
        let slower = if i == 4 { 2.0 } else { 1.0 };
        let level = 1000.0 * f64::from(9 - i);
        sandbox.bench("base", &format!("b{i}"), level, 1).bench("head", &format!("b{i}"), level * slower, 2);
    }
    sandbox.bench("base", HOSTILE, 50.0, 1).bench("head", HOSTILE, 100.0, 2);
    sandbox.perfgate(&["compare", "base", "head", "--html", "report.html"]).exits(1);
    browser.open(&sandbox, "report.html");
    assert_eq!(browser.run("return document.title"), "perfgate: FAIL: 2 regressed");
    let hostile = browser.run("return [...document.querySelectorAll('td.name')].map(c => c.firstChild.textContent)");
    assert!(hostile.as_array().unwrap().contains(&HOSTILE.into()), "{hostile}");
    assert_eq!(browser.run("return document.images.length"), 0);

    assert_eq!(browser.rows().len(), 10);
    browser.sort(3);
    // In descending order of the base value: b0 has the largest.
    assert_eq!((browser.rows()[0].as_str(), browser.rows()[8].as_str()), ("b0", "b8"));
    browser.sort(3);
    assert_eq!(browser.rows()[1], "b8");
    // Names from A to Z first.
    browser.sort(1);
    assert_eq!(browser.rows()[1..3], ["b0", "b1"]);
    browser.find("B4");
    assert_eq!(browser.rows(), ["b4"]);
    assert_eq!(browser.run("return document.getElementById('shown').textContent"), "1 of 10");
    // Its samples are drawn on demand: 17 dots and the centre of the one run on each side.
    let count = |what: &str| browser.run(&format!("return document.querySelectorAll('svg .{what}').length"));
    assert_eq!((count("sample"), count("centre")), (json!(0), json!(0)));
    let press = "document.querySelector('tr[data-name=b4] button').click()";
    browser.run(press);
    assert_eq!((count("sample"), count("base"), count("centre")), (json!(34), json!(17), json!(2)));
    let facts = browser.run("return document.querySelector('tr.details p').textContent");
    assert!(
        facts.as_str().unwrap().starts_with("time: 5.0") && facts.as_str().unwrap().contains("95% CI +"),
        "{facts}"
    );
    let key = browser.run("return document.querySelector('tr.details p:last-child').textContent");
    assert_eq!(
        key,
        "Dots: samples, or evenly spaced quantiles of many. Upright bar: median of a run. In parentheses: its number of samples."
    );
    let texts = browser.run("return [...document.querySelectorAll('svg text')].map(t => t.textContent).join(' ')");
    assert!(texts.as_str().unwrap().contains("base (50) head (50)"), "{texts}");
    browser.run(press);
    assert_eq!(count("sample"), 0);
    assert_eq!(browser.console_messages(), json!([]));
}

/// Saves the page of a report of many benchmarks, made from one of two.
fn large_page(sandbox: &Sandbox, benchmarks: usize) {
    for (name, factor) in [("slow", 2.0), ("same", 1.0)] {
        sandbox.bench("base", name, 1000.0, 1).bench("head", name, 1000.0 * factor, 2);
    }
    sandbox.perfgate(&["compare", "base", "head", "--save", "comparison.json"]).exits(1);
    let mut report: Value = serde_json::from_str(&sandbox.read("comparison.json")).unwrap();
    let two = report["benchmarks"].as_array().unwrap().clone();
    report["benchmarks"] = (0..benchmarks)
        .map(|i| {
            let mut finding = two[usize::from(i >= 20)].clone();
            finding["name"] = format!("group{}/a_benchmark_with_a_usual_name/{i}", i % 20).into();
            finding
        })
        .collect();
    report["counts"]["regressed"] = 20.into();
    report["counts"]["unchanged"] = (benchmarks - 20).into();
    let report: perfgate::verdict::Report = serde_json::from_value(report).unwrap();
    sandbox.write("report.html", perfgate::render::report_page(&report));
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn the_page_of_ten_thousand_benchmarks_is_small_and_fast() {
    let browser = Browser::start();
    let sandbox = Sandbox::new();
    large_page(&sandbox, 10_000);
    let size = sandbox.read("report.html").len();
    let timed = |script: &str| {
        let script =
            format!("const t = performance.now(); {script}; document.body.offsetHeight; return performance.now() - t");
        browser.run(&script).as_f64().unwrap()
    };
    // Each time is measured in a page that was just opened. The best of a few: other tests run next to this one, and the
    // first time includes the start of the browser.
    let [mut painted, mut sorted, mut found] = [f64::INFINITY; 3];
    for _ in 0..4 {
        browser.open(&sandbox, "report.html");
        // The browser may report the paint a little after the page is loaded.
        browser.until("performance.getEntriesByName('first-contentful-paint').length > 0");
        let paint = browser.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime");
        painted = painted.min(paint.as_f64().unwrap());
        sorted = sorted.min(timed("document.querySelectorAll('table.sortable th')[5].querySelector('button').click()"));
        found = found.min(timed(
            "const s = document.getElementById('search'); s.value = 'name/777'; s.dispatchEvent(new Event('input'))",
        ));
    }
    assert_eq!(browser.run("return document.getElementById('shown').textContent"), "11 of 10,000");
    assert_eq!(browser.rows().len(), 11);
    println!("{size} bytes, first content after {painted} ms, sorted in {sorted} ms, filtered in {found} ms");
    assert!(size < 4_000_000, "{size}");
    assert!(painted < 500.0, "{painted} ms");
    assert!(sorted < 300.0 && found < 300.0, "{sorted} ms, {found} ms");
    assert_eq!(browser.console_messages(), json!([]));
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn rows_are_made_as_they_are_looked_at_and_each_has_an_address() {
    let browser = Browser::start();
    let sandbox = Sandbox::new();
    large_page(&sandbox, 3000);
    browser.open(&sandbox, "report.html");
    assert!(browser.rows().len() < 500, "{}", browser.rows().len());
    let wait = || std::thread::sleep(Duration::from_millis(400));
    browser.run("window.scrollTo(0, document.body.scrollHeight)");
    wait();
    let after = browser.rows().len();
    assert!(after > 100, "{after}");
    // The head of the table stays in view.
    let top = browser.run("return document.querySelector('table.sortable thead th').getBoundingClientRect().top");
    assert!(top.as_f64().unwrap().abs() < 2.0, "{top}");
    // An address shows and opens its benchmark, which was not made before.
    browser.run("location.hash = '#' + encodeURIComponent('group17/a_benchmark_with_a_usual_name/2217')");
    wait();
    let target = browser.run("const t = document.querySelector('tr.target'); const r = t.getBoundingClientRect(); return [t.dataset.name, r.top > 0 && r.bottom < innerHeight, !!t.nextSibling.querySelector('svg')]");
    assert_eq!(target, json!(["group17/a_benchmark_with_a_usual_name/2217", true, true]));
    assert_eq!(browser.console_messages(), json!([]));
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn an_address_may_be_encoded_in_any_way() {
    let browser = Browser::start();
    let sandbox = Sandbox::new();
    let names = ["dec/utf-8 ✓", "日本/語", "f(a) it's", "100%", "50%25", "plain"];
    for name in names {
        sandbox.bench("base", name, 1000.0, 1).bench("head", name, 1000.0, 2);
    }
    sandbox.perfgate(&["compare", "base", "head", "--html", "report.html"]).exits(0);
    browser.open(&sandbox, "report.html");
    let strict = "encodeURIComponent(n).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16))";
    for encode in ["encodeURIComponent(n)", "encodeURI(n)", "n", "n.replaceAll(' ', '%20')", strict] {
        for name in names {
            browser.run(&format!("const n = {name:?}; location.hash = '#' + {encode}"));
            let lower = name.to_lowercase();
            browser.until(&format!(
                "[...document.querySelectorAll('tr.target')].some(row => row.dataset.name === {lower:?})"
            ));
        }
    }
    assert_eq!(browser.console_messages(), json!([]));
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn a_long_word_in_a_warning_breaks_on_a_phone() {
    let browser = Browser::start();
    let sandbox = Sandbox::new();
    let long = "a_very_long_module_name_without_any_spaces::".repeat(4);
    for (name, slower) in [("same", 1.0), (&*long, 3.0)] {
        sandbox.bench("base", name, 1000.0, 1).bench("head", name, 1000.0 * slower, 2);
    }
    sandbox.perfgate(&["compare", "base", "head", "--save", "comparison.json"]).exits(1);
    let mut report: Value = serde_json::from_str(&sandbox.read("comparison.json")).unwrap();
    report["diagnostics"] =
        json!([{"code": "odd", "severity": "warning", "place": "", "message": format!("`{long}` is odd")}]);
    report["base"]["label"] = long.as_str().into();
    let report: perfgate::verdict::Report = serde_json::from_value(report).unwrap();
    sandbox.write("report.html", perfgate::render::report_page(&report));
    for width in [360, 320] {
        browser.screen(width, 800, "light");
        browser.open(&sandbox, "report.html");
        browser.run("document.querySelector('button.chart').click()");
        let longest = "Math.max(...[...document.querySelectorAll('li code')].map(c => c.textContent.length))";
        let length = browser.run(&format!("return {longest}")).as_u64().unwrap();
        assert!(length >= long.len() as u64, "{length}");
        assert_eq!(browser.run(&format!("return document.documentElement.scrollWidth <= {width}")), true, "{width}");
    }
    assert_eq!(browser.console_messages(), json!([]));
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn a_phone_shows_change_and_outcome_and_print_has_all_columns() {
    let browser = Browser::start();
    let sandbox = Sandbox::new();
    large_page(&sandbox, 30);
    browser.post("goog/cdp/execute", json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": true}}));
    browser.open(&sandbox, "report.html");
    let visible = "return [...document.querySelectorAll('table.sortable tbody tr')[0].cells].filter(c => c.offsetWidth > 0).map(c => c.className.split(' ').find(n => ['outcome', 'name', 'change', 'ci', 'metric', 'side', 'q'].includes(n)))";
    assert_eq!(browser.run(visible), json!(["outcome", "name", "change"]));
    assert_eq!(browser.run("return document.documentElement.scrollWidth <= innerWidth"), true);
    browser.post("goog/cdp/execute", json!({"cmd": "Emulation.setEmulatedMedia", "params": {"media": "print"}}));
    assert_eq!(browser.run(visible), json!(["outcome", "name", "metric", "side", "side", "change", "ci", "q"]));
    // The interval has numbers, a scale, and the colour of its outcome.
    let interval = "const c = document.querySelector('td.ci'); return [c.textContent.includes(' … '), !!c.querySelector('.dot.bad'), document.querySelectorAll('th.ci svg text').length > 2]";
    assert_eq!(browser.run(interval), json!([true, true, true]));
}

#[test]
#[ignore = "needs Chromium, chromedriver and axe-core"]
fn axe_finds_no_violations_in_a_report_with_budgets_and_machines() {
    let browser = Browser::start();
    let sandbox = Sandbox::new();
    let run = |cpu: &str, factor: f64| {
        let measurement = |name: &str, ns: f64| json!({"tool": "t", "benchmark": name, "unit": "ns", "replicates": [{"samples": [ns * factor]}]});
        let names = ["a::module::with_a_long_path/parse_a_large_document/64", "b", "c"];
        let measurements: Vec<Value> = names.iter().map(|name| measurement(name, 1000.0)).collect();
        json!({"format": "perfgate-run", "version": 1, "environment": {"cpu": cpu}, "measurements": measurements})
            .to_string()
    };
    let cpu = "A processor with a long name @ 3.40GHz";
    sandbox.write("base.json", run(cpu, 1.0)).write("head.json", run(cpu, 20.0));
    sandbox.write("perfgate.toml", "[[budget]]\nmatch = '*'\nmetric = 'time'\ntarget = '< +10%'\nacceptable = '< +20%'\n[[goal]]\nmatch = '*'\nmetric = 'time'\nexpect = '-40%'\n");
    sandbox.perfgate(&["compare", "base.json", "head.json", "--html", "report.html"]).exits(1);
    for (width, scheme) in
        [(1200, "light"), (1200, "dark"), (390, "light"), (390, "dark"), (360, "light"), (320, "dark")]
    {
        browser.screen(width, 800, scheme);
        browser.open(&sandbox, "report.html");
        browser.run("document.querySelector('button.chart').click()");
        assert_eq!(browser.accessibility_violations(), json!([]), "{width} {scheme}");
        assert_eq!(browser.run("return document.documentElement.scrollWidth <= innerWidth"), true, "{width}");
        let fits =
            "[...document.querySelectorAll('table.limits')].every(t => t.offsetWidth <= t.parentElement.clientWidth)";
        assert_eq!(browser.run(&format!("return {fits}")), true, "{width}");
    }
}

#[test]
#[ignore = "needs Chromium, chromedriver and axe-core"]
fn axe_finds_no_violations_in_a_flame_graph_in_light_and_dark_and_on_a_phone() {
    let browser = Browser::start();
    let sandbox = Sandbox::new();
    sandbox.write("base", "main;parse;split 10\nmain;write 40\nmain;read 30\n");
    sandbox.write("head", "main;parse;split 90\nmain;write 10\nmain;read 30\n");
    sandbox.perfgate(&["explain", "base", "head", "--html", "page.html"]).exits(0);
    for (width, scheme) in [(1200, "light"), (1200, "dark"), (390, "light"), (390, "dark")] {
        browser.screen(width, 800, scheme);
        browser.open(&sandbox, "page.html");
        assert_eq!(browser.run("return document.querySelectorAll('.flame rect').length >= 5"), true);
        assert_eq!(browser.accessibility_violations(), json!([]), "{width} {scheme}");
        assert_eq!(browser.run("return document.documentElement.scrollWidth <= innerWidth"), true, "{width}");
        // The text of each frame stands out from the frame, which keeps its colours.
        let contrast = "const light = (css) => { const [r, g, b] = css.match(/[\\d.]+/g).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };\
            const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);\
            return Math.min(...[...document.querySelectorAll('.flame g')].map(g => [g.querySelector('rect'), g.querySelector('text')]).filter(([rect, text]) => rect && text && text.textContent.trim()).map(([rect, text]) => ratio(light(getComputedStyle(rect).fill), light(getComputedStyle(text).fill))))";
        let least = browser.run(contrast).as_f64().unwrap();
        assert!(least >= 4.5, "{least} {scheme}");
    }
    let back = browser.run("return getComputedStyle(document.body).backgroundColor");
    assert_eq!(back, "rgb(20, 24, 31)");
    assert_eq!(browser.console_messages(), json!([]));
}
