//! Tests of the history site in a browser, with real clicks and keys. All stored runs are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::Sandbox;
use common::browser::Browser;
use perfgate::io::store::{self, Key};
use perfgate::model::{Commit, Environment, Evidence, Measurement, Metric, Run, record};
use serde_json::json;
use std::fmt::Write;

const HOSTILE: &str = "<img src=x onerror=\"document.title='owned'\"></script><script>document.title='owned'</script>";
const START: i64 = 1_780_000_000;

/// Deterministic noise between -1 and 1.
fn noise(seed: usize) -> f64 {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed >> 40) as f64 / (1u64 << 23) as f64 - 1.0
}

fn measured(name: &str, metric: Metric, value: f64, seed: usize) -> Measurement {
    Measurement::new("criterion", name, metric, Evidence::Samples(vec![value * (1.0 + 0.005 * noise(seed))]))
}

/// A repository `r` with commits, one every five hours, and the runs of each in the store `runs`.
fn recorded(count: usize, runs_of: impl Fn(usize) -> Vec<(&'static str, Vec<Measurement>)>) -> (Sandbox, Vec<Commit>) {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let mut stream = String::new();
    for i in 0..count {
        let (time, subject) = (START + 18_000 * i as i64, format!("Change the parser <b>{i}</b>"));
        let person = format!("Ada <a@example.org> {time} +0000");
        let length = subject.len();
        let _ = writeln!(
            stream,
            "commit refs/heads/main\nauthor {person}\ncommitter {person}\ndata {length}\n{subject}\n{}",
            if i == 0 { "deleteall" } else { "" }
        );
    }
    sandbox.write("stream", &stream);
    sandbox.git("r", &["checkout", "-q", "--detach"]);
    sandbox.git("r", &["update-ref", "-d", "refs/heads/main"]);
    let stream = std::fs::File::open(sandbox.path("stream")).unwrap();
    let mut import = std::process::Command::new("git");
    import.args(["fast-import", "--quiet"]).current_dir(sandbox.path("r")).stdin(stream);
    assert!(import.status().unwrap().success());
    sandbox.git("r", &["checkout", "-q", "-f", "main"]);
    sandbox.git("r", &["remote", "add", "origin", "https://github.com/octo/parser.git"]);
    let log = sandbox.git("r", &["rev-list", "--reverse", "main"]);
    let commits: Vec<Commit> = log.lines().map(|line| Commit::parse(line).unwrap()).collect();
    let mut records = Vec::new();
    for (i, commit) in commits.iter().enumerate() {
        for (cpu, mut measurements) in runs_of(i) {
            measurements.sort_by(|a, b| a.benchmark.cmp(&b.benchmark));
            let mut environment = Environment::default();
            environment.set(Environment::CPU, cpu);
            let time = START + 18_000 * i as i64;
            let run = Run { commit: Some(commit.clone()), time, measurements, environment, ..Run::default() };
            let bytes = record::encode(&run).unwrap();
            records.push((Key::new(&run, &bytes), bytes));
        }
    }
    store::open("dir:runs", &sandbox.path("r")).unwrap().write(&records).unwrap();
    (sandbox, commits)
}

/// 40 commits on two machine classes: one benchmark becomes 30% slower at 30 and is accepted, one 20% faster at 10; one has an
/// epoch, one a hostile name.
fn small() -> (Sandbox, Vec<Commit>) {
    let (sandbox, commits) = recorded(40, |i| {
        let runs = |machine: usize| {
            let slow = if i >= 30 { 1.3 } else { 1.0 } * 1e6 * (1 + machine) as f64;
            vec![
                measured("parse/large", Metric::time(), slow, i + 100 * machine),
                measured("write", Metric::time(), if i >= 10 { 800.0 } else { 1000.0 }, 1000 + i + 100 * machine),
                measured("write", Metric::throughput(), 5e6, 2000 + i + 100 * machine),
                measured("new corpus", Metric::time(), 500.0, 3000 + i + 100 * machine),
                measured(HOSTILE, Metric::time(), 50.0, 4000 + i + 100 * machine),
            ]
        };
        vec![("fast cpu", runs(0)), ("slow cpu", runs(1))]
    });
    let until = "2026-07-01";
    let epoch = &commits[5];
    sandbox.write(
        "r/perfgate.toml",
        format!(
            "[[accept]]\nbenchmark = \"parse/large\"\nup-to = \"35%\"\nreason = \"bounds <i>checks</i>\"\nuntil = \"{until}\"\n\
             [[epoch]]\nmatch = \"new corpus\"\nfrom = \"{epoch}\"\nreason = \"a larger <i>corpus</i>\"\n"
        ),
    );
    sandbox.perfgate_at("r", &["history", "--store", "dir:runs", "--site", "site"]).exits(0);
    (sandbox, commits)
}

/// The names of the visible rows.
fn names(browser: &Browser) -> Vec<String> {
    let names = browser.run("return [...document.querySelectorAll('.grid tbody tr a.series')].map(a => a.textContent)");
    names.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Waits until the chart has these series, by their addresses. A new address is shown after its data was read.
fn shows(browser: &Browser, series: &[&str]) {
    browser.until(&format!(
        "current && JSON.stringify(current.lines.map(line => line.series.id).sort()) === JSON.stringify({})",
        json!(series)
    ));
}

fn text(browser: &Browser, css: &str) -> String {
    browser.run(&format!("return document.querySelector({css:?}).innerText")).as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn the_overview_filters_and_sorts_and_its_address_keeps_the_filters() {
    let browser = Browser::start();
    let (sandbox, _) = small();
    browser.open(&sandbox, "r/site/index.html");
    // Regressions first, then other changes.
    let all = names(&browser);
    assert_eq!((all.len(), &all[..2]), (10, &["parse/large".to_owned(), "parse/large".to_owned()][..]));
    assert_eq!(&all[2..4], ["write", "write"]);
    assert!(all.contains(&HOSTILE.to_owned()));
    let first = text(&browser, ".grid tbody tr");
    for part in ["✗ worse", "accepted in perfgate.toml", "+29.9%", "9 commits before the last run", "2026-06-"] {
        assert!(first.contains(part), "{part} in {first}");
    }
    // Nobody has to act on an accepted change.
    assert_eq!(browser.run("return document.querySelector('.grid tbody td.outcome').className"), "outcome open");
    assert!(
        text(&browser, ".grid tbody")
            .contains("restarts on 2026-05-29 (a larger <i>corpus</i>); earlier runs are not used")
    );
    browser.click("#search");
    browser.key("W");
    browser.key("r");
    browser.until("document.getElementById('shown').textContent === '4 of 10'");
    browser.run(
        "const m = document.getElementById('metric'); m.value = 'throughput'; m.dispatchEvent(new Event('input'))",
    );
    assert_eq!(names(&browser), ["write", "write"]);
    browser.run("const m = document.getElementById('machine'); m.value = '1'; m.dispatchEvent(new Event('input'))");
    assert_eq!(names(&browser), ["write"]);
    let address = browser.run("return location.hash");
    assert_eq!(address, "#/?find=Wr&metric=throughput&machine=1");
    browser.open(&sandbox, "r/site/index.html");
    assert_eq!(names(&browser).len(), 10);
    browser.open(&sandbox, "r/site/index.html#/?find=wr&show=better");
    browser.until("document.querySelectorAll('.grid tbody tr').length === 2");
    browser.open(&sandbox, "r/site/index.html#/");
    browser.until("document.querySelectorAll('.grid tbody tr').length === 10");
    let sorted = |direction: &str, first: &str| {
        browser.click(".grid th:nth-child(3) button");
        let state = browser.run("return document.querySelector('.grid th:nth-child(3)').getAttribute('aria-sort')");
        assert_eq!((state, names(&browser)[0].as_str()), (json!(direction), first));
    };
    sorted("ascending", HOSTILE);
    sorted("descending", "write");
    sorted("ascending", HOSTILE);
    // Arrow keys go from name to name.
    browser.run("document.querySelector('a.series').focus()");
    browser.key("ArrowDown");
    assert_eq!(browser.run("return document.activeElement.closest('tr').rowIndex"), 2);
    browser.key("Enter");
    browser.until("document.querySelector('.uplot')");
    assert_eq!(browser.run("return [document.images.length, document.title === 'owned']"), json!([0, false]));
    assert_eq!(browser.console_messages(), json!([]));
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn a_series_shows_its_commits_changes_and_links() {
    let browser = Browser::start();
    let (sandbox, commits) = small();
    browser.open(&sandbox, "r/site/index.html");
    browser.click(".grid tbody tr:nth-child(2) a.series");
    browser.until("document.querySelector('.uplot')");
    assert_eq!(browser.run("return location.hash"), "#/series/parse/large%20(fast%20cpu)");
    let view = text(&browser, "#view");
    for part in [
        "parse/large\n",
        "lower is better",
        "fast cpu",
        "40 commits, 2026-05-28 to 2026-06-05",
        "Waiver: up to +35.0%",
        "until 2026-07-01: bounds <i>checks</i>",
        "✗ worse, accepted",
        "+29.8%",
        "thick line: level; band: commits that may have made the change; ▲ ▼: most likely commit",
        "▲ with a dot: accepted",
        "Change the parser <b>30</b>",
    ] {
        assert!(view.contains(part), "{part} in {view}");
    }
    // The change names its commits, and the commits that it lies between.
    let page = "https://github.com/octo/parser";
    let hrefs = browser.run("return [...document.querySelectorAll('.changes a')].map(a => [a.href, a.rel, a.target])");
    let leaves = |address: String| json!([address, "noopener noreferrer", "_blank"]);
    assert_eq!(
        hrefs,
        json!([
            leaves(format!("{page}/commit/{}", commits[30])),
            leaves(format!("{page}/compare/{}...{}", commits[29], commits[30]))
        ])
    );
    // Under the pointer: value, date, commit, subject, author.
    browser.mouse(".u-over", (0, 0), None);
    let card = text(&browser, ".card");
    for part in [" ms; from the commit before: ", " UTC, ", "by Ada", "Change the parser <b>"] {
        assert!(card.contains(part), "{part} in {card}");
    }
    assert_eq!(browser.run("return document.querySelectorAll('.card a').length"), 0);
    // A click pins it, with links to the commit and to what changed.
    browser.mouse(".u-over", (0, 0), Some((0, 0)));
    browser.until("document.querySelector('.card.pinned')");
    let found = browser.run("return [...document.querySelectorAll('.card a')].map(a => a.href)");
    let index = commits.iter().position(|commit| found[0] == format!("{page}/commit/{commit}")).unwrap();
    assert_eq!(found[1], format!("{page}/compare/{}...{}", commits[index - 1], commits[index]));
    // It can be a side of a comparison.
    browser.click(".card button:nth-of-type(1)");
    let compare = "return document.querySelector('.compare a').href";
    assert_eq!(browser.run(compare), format!("{page}/compare/{}...{}", commits[index], commits[30]));
    browser.key("Escape");
    browser.until("document.querySelector('.card').hidden");
    browser.run("document.getElementById('head').focus()");
    browser.run("const h = document.getElementById('head'); h.value = 39; h.dispatchEvent(new Event('change'))");
    assert_eq!(browser.run(compare), format!("{page}/compare/{}...{}", commits[index], commits[39]));

    // A drag zooms; the address keeps the range, and its ends are what is compared. The card of another range is closed.
    browser.mouse(".u-over", (0, 0), Some((0, 0)));
    browser.until("document.querySelector('.card.pinned')");
    browser.mouse(".u-over", (-100, 85), Some((150, 85))); // below the card
    browser.until("location.hash.includes('from=')");
    browser.until("!document.querySelector('.card.pinned')");
    let range = text(&browser, "#view [role=status]");
    let count: usize = range.split(' ').next().unwrap().parse().unwrap();
    assert!((5..30).contains(&count), "{range}");
    let address = browser.run("return location.href").as_str().unwrap().to_owned();
    let ends = browser.run(compare);
    let inside = |commit: &&Commit| ends.as_str().unwrap().contains(commit.as_str());
    assert_eq!(commits.iter().filter(inside).count(), 2, "{ends}");
    browser.run("location.reload()");
    browser.until("document.querySelector('.uplot')");
    assert_eq!(text(&browser, "#view [role=status]"), range);
    assert_eq!(browser.run("return location.href"), address);
    browser.click(".tools button:nth-of-type(3)");
    browser.until("!location.hash.includes('from=')");
    assert!(text(&browser, "#view [role=status]").starts_with("40 commits"));

    // The table has all values.
    browser.click("details summary");
    browser.until("document.querySelectorAll('.values tbody tr').length === 40");
    assert!(text(&browser, ".values tbody tr").contains("Change the parser <b>39</b>"));
    browser.open(&sandbox, "r/site/index.html#/series/new%20corpus");
    browser.until("document.querySelector('.remark').textContent.startsWith('Epoch')");
    let remark = text(&browser, ".remark");
    assert!(remark.contains("starts on 2026-05-29: a larger <i>corpus</i>"), "{remark}");
    assert_eq!(browser.console_messages(), json!([]));
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn arrow_keys_read_the_chart_and_enter_leads_to_its_links() {
    let browser = Browser::start();
    let (sandbox, commits) = small();
    browser.open(&sandbox, "r/site/index.html#/series/write%20(fast%20cpu)");
    browser.until("document.querySelector('.uplot')");
    browser.run("document.querySelector('.chart').focus()");
    let spoken = || browser.run("return document.querySelector('.chart').getAttribute('aria-valuetext')");
    let spoken = || spoken().as_str().unwrap().to_owned();
    browser.key("ArrowLeft");
    assert!(spoken().contains(commits[39].short()) && spoken().contains("<b>39</b>"), "{}", spoken());
    browser.key("ArrowLeft");
    assert!(spoken().contains(commits[38].short()) && spoken().contains(" µs"), "{}", spoken());
    browser.key("Home");
    browser.key("ArrowRight");
    assert!(spoken().contains(commits[1].short()), "{}", spoken());
    for _ in 0..3 {
        browser.key("+");
    }
    assert!(browser.run("return location.hash").as_str().unwrap().contains("from="));
    assert!(spoken().contains(commits[1].short()), "{}", spoken());
    // The range moves with the cursor.
    for _ in 0..12 {
        browser.key("ArrowRight");
    }
    assert!(spoken().contains(commits[13].short()), "{}", spoken());
    let inside = "const o = document.querySelector('.u-over').getBoundingClientRect(), c = document.querySelector('.u-cursor-x').getBoundingClientRect(); return c.left >= o.left && c.left <= o.right";
    assert_eq!(browser.run(inside), true);
    browser.key("Enter");
    assert_eq!(
        browser.run("return document.activeElement.href"),
        format!("https://github.com/octo/parser/commit/{}", commits[13])
    );
    browser.key("Escape");
    assert_eq!(
        browser.run("return [document.activeElement.className, document.querySelector('.card').hidden]"),
        json!(["chart", true])
    );
    assert_eq!(browser.console_messages(), json!([]));
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn several_series_share_a_chart() {
    let browser = Browser::start();
    let (sandbox, _) = small();
    browser.open(&sandbox, "r/site/index.html");
    browser.click(".grid tbody tr:nth-child(2) input");
    browser.click(".grid tbody tr:nth-child(3) input");
    assert_eq!(text(&browser, "#together"), "Chart the 2 selected series");
    browser.click("#together");
    browser.until("document.querySelectorAll('ul.legend li').length === 2");
    browser.mouse(".u-over", (0, 0), None);
    let card = text(&browser, ".card");
    assert!(card.contains("parse/large (fast cpu) ") && card.contains("write (fast cpu) "), "{card}");
    // Values of different units are drawn as changes.
    browser.run("const a = document.getElementById('add'); a.value = 'write throughput (fast cpu)'; a.dispatchEvent(new Event('change'))");
    browser.until("document.querySelectorAll('ul.legend li').length === 3 && current.columns.isRelative");
    // A further series is added to the visible range.
    browser.mouse(".u-over", (-100, 20), Some((150, 20)));
    browser.until("location.hash.includes('from=')");
    let range = text(&browser, "#view [role=status]");
    browser.run("const a = document.getElementById('add'); a.value = 'new corpus (fast cpu)'; a.dispatchEvent(new Event('change'))");
    browser.until("document.querySelectorAll('ul.legend li').length === 4");
    browser.until("location.hash.includes('from=')");
    assert_eq!(text(&browser, "#view [role=status]"), range);
    browser.click("ul.legend li:nth-child(4) a:nth-of-type(2)");
    browser.until("document.querySelectorAll('ul.legend li').length === 3");
    browser.click("ul.legend li:nth-child(1) a:nth-of-type(2)");
    browser.until("document.querySelectorAll('ul.legend li').length === 2");
    browser.click("details summary");
    browser.until("document.querySelectorAll('.values tbody tr').length === 40");
    // The name of a benchmark stands for all its machine classes.
    browser.open(&sandbox, "r/site/index.html#/series/parse/large");
    browser.until("document.querySelectorAll('ul.legend li').length === 2");
    // A metric may follow the name.
    browser.open(&sandbox, "r/site/index.html#/series/write");
    browser.until("document.querySelectorAll('ul.legend li').length === 2");
    shows(&browser, &["write (fast cpu)", "write (slow cpu)"]);
    browser.open(&sandbox, "r/site/index.html#/series/write%20throughput");
    browser.until("document.querySelectorAll('ul.legend li').length === 2");
    shows(&browser, &["write throughput (fast cpu)", "write throughput (slow cpu)"]);
    browser.open(&sandbox, "r/site/index.html#/series/parse/large");
    browser.until("document.querySelectorAll('ul.legend li').length === 2");
    // And back to where the reader was.
    browser.run("history.back()");
    browser.until("document.querySelectorAll('ul.legend li').length === 2");
    browser.click("a.back");
    browser.until("document.querySelectorAll('.grid tbody tr').length === 10 && view.hidden");
    browser.open(&sandbox, "r/site/index.html#/series/none");
    browser.until("document.querySelector('[role=alert]')");
    assert_eq!(text(&browser, "[role=alert]"), "The page has no series named none.");
    assert_eq!(browser.console_messages(), json!([]));
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn the_page_of_one_file_works_without_loading_other_files() {
    let browser = Browser::start();
    let (sandbox, _) = small();
    sandbox.perfgate_at("r", &["history", "--store", "dir:runs", "--html", "alone.html"]).exits(0);
    browser.open(&sandbox, "r/alone.html");
    browser.click(".grid tbody tr a.series");
    browser.until("document.querySelector('.uplot')");
    assert!(text(&browser, "#view").contains("✗ worse, accepted"));
    assert_eq!(browser.run("return performance.getEntriesByType('resource').length"), 0);
    assert_eq!(browser.console_messages(), json!([]));
}

#[test]
#[ignore = "needs Chromium, chromedriver and axe-core"]
fn axe_finds_no_violations_in_light_and_dark_and_on_a_phone() {
    let browser = Browser::start();
    let (sandbox, _) = small();
    for (width, scheme) in [(1200, "light"), (1200, "dark"), (390, "light"), (390, "dark")] {
        browser.screen(width, 800, scheme);
        for (address, ready) in [
            ("#/", "document.querySelectorAll('.grid tbody tr').length === 10"),
            ("#/series/parse/large%20(fast%20cpu)", "document.querySelector('.uplot')"),
            ("#/series/parse/large", "document.querySelectorAll('ul.legend li').length === 2"),
        ] {
            browser.open(&sandbox, &format!("r/site/index.html{address}"));
            browser.until(ready);
            if address != "#/" {
                browser.mouse(".u-over", (0, 0), Some((0, 0)));
                browser.until("document.querySelector('.card.pinned')");
                browser.run("document.querySelector('details summary').click()");
                browser.until("document.querySelector('.values')");
            }
            assert_eq!(browser.accessibility_violations(), json!([]), "{address} {width} {scheme}");
            // A phone widens its window for a page that is too wide.
            let fits = browser.run(&format!("return document.documentElement.scrollWidth <= {width}"));
            assert_eq!(fits, true, "{address} {width}");
        }
    }
    let back = "return getComputedStyle(document.body).backgroundColor";
    assert_eq!(browser.run(back), "rgb(20, 24, 31)");
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn two_hundred_series_of_a_thousand_commits_are_small_and_fast() {
    let names: Vec<String> = (0..200).map(|k| format!("group{}/a_benchmark_with_a_usual_name/{k}", k % 20)).collect();
    let (sandbox, _) = recorded(1000, |i| {
        let one = |(k, name): (usize, &String)| {
            let level = 1000.0 * (k + 1) as f64 * if k % 3 == 0 && i >= 600 + k { 1.2 } else { 1.0 };
            measured(name, Metric::time(), level, 1000 * k + i)
        };
        vec![("cpu", names.iter().enumerate().map(one).collect())]
    });
    sandbox.perfgate_at("r", &["history", "--store", "dir:runs", "--last", "1000", "--site", "site"]).exits(0);
    let browser = Browser::start();
    browser.open(&sandbox, "r/site/index.html");
    browser.open(&sandbox, "r/site/index.html"); // the first time includes the start of the browser
    browser.until("document.querySelectorAll('.grid tbody tr').length >= 100");
    browser.until("performance.getEntriesByName('first-contentful-paint').length");
    let painted = browser.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime");
    let ready = browser.run("return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd");
    let size = sandbox.read("r/site/index.html").len();
    // The first view loads nothing else.
    assert_eq!(browser.run("return performance.getEntriesByType('resource').length"), 0);
    let start = "window.since = performance.now(); new MutationObserver((_, o) => { if (document.querySelector('.uplot canvas')) { o.disconnect(); requestAnimationFrame(() => setTimeout(() => { window.opened = performance.now() - since; })); } }).observe(view, { subtree: true, childList: true })";
    let open = |row: u32| {
        browser.run("delete window.opened");
        browser.run(start);
        browser.click(&format!(".grid tbody tr:nth-child({row}) a.series"));
        browser.until("window.opened");
        let opened = browser.run("return window.opened").as_f64().unwrap();
        browser.run("location.hash = '#/'");
        browser.until("view.hidden");
        opened
    };
    // The first also loads the commits and compiles the chart library.
    let (first_opened, opened) = (open(1), open(2));
    let file = browser.run("return overview.series[0].file");
    let loaded = sandbox.read(&format!("r/site/data/{}.js", file.as_str().unwrap())).len()
        + sandbox.read("r/site/data/commits.js").len();
    let found = browser.run("const t = performance.now(); const s = document.getElementById('search'); s.value = 'name/7'; s.dispatchEvent(new Event('input')); document.body.offsetHeight; return performance.now() - t").as_f64().unwrap();
    let sorted = browser.run("const t = performance.now(); document.querySelectorAll('.grid th button')[1].click(); document.body.offsetHeight; return performance.now() - t").as_f64().unwrap();
    println!(
        "first view {size} bytes, painted after {painted} ms, ready after {ready} ms; a series {loaded} bytes, drawn {first_opened} ms after the click, the next {opened} ms; filtered in {found} ms, sorted in {sorted} ms"
    );
    assert!(size < 3_000_000, "{size}");
    let painted = painted.as_f64().unwrap();
    assert!(painted < 500.0, "{painted} ms");
    assert!(ready.as_f64().unwrap() < 500.0, "{ready} ms");
    assert!(opened < 500.0, "{opened} ms");
    assert!(found < 300.0 && sorted < 300.0, "{found} ms, {sorted} ms");
    assert_eq!(browser.console_messages(), json!([]));
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn labels_of_neighbouring_epochs_do_not_overlap() {
    let (sandbox, commits) = recorded(30, |i| {
        let all = || vec![measured("x", Metric::time(), 500.0, i), measured("y", Metric::time(), 700.0, i)];
        // The second class has no run at the start of the epoch.
        let classes = ["fast cpu", "slow cpu"].into_iter().take(if i == 5 { 1 } else { 2 });
        classes.map(|cpu| (cpu, all())).collect()
    });
    let epoch = &commits[5];
    sandbox.write("r/perfgate.toml", format!("[[epoch]]\nmatch = '*'\nfrom = \"{epoch}\"\nreason = \"new input\"\n"));
    sandbox.perfgate_at("r", &["history", "--store", "dir:runs", "--site", "site"]).exits(0);
    let browser = Browser::start();
    browser.open(&sandbox, "r/site/index.html#/series/x");
    browser.until("document.querySelectorAll('ul.legend li').length === 2");
    // The labels of the chart, each with its row.
    browser.run(
        "window.labels = []; const draw = CanvasRenderingContext2D.prototype.fillText;\
         CanvasRenderingContext2D.prototype.fillText = function (text, x, y) { if (text.startsWith('epoch')) labels.push([text, Math.round(y)]); return draw.apply(this, arguments); };\
         current.draw()",
    );
    browser.until("labels.length >= 2");
    let rows = browser.run("return new Set(labels.map(([, y]) => y)).size");
    assert_eq!(rows, 2, "{}", browser.run("return labels"));
    // Series that start at the same commit share a label.
    browser.run("location.hash = '#/series/x%20(fast%20cpu)&y%20(fast%20cpu)'");
    browser.until("current && current.ids.includes('y (fast cpu)')");
    browser.run("labels.length = 0; current.draw()");
    browser.until("labels.length >= 1");
    let rows = browser.run("return new Set(labels.map(([, y]) => y)).size");
    assert_eq!(rows, 1, "{}", browser.run("return labels"));
    assert_eq!(browser.console_messages(), json!([]));
}

/// A series without commits, one with few points, zeros and values far apart: nothing breaks.
#[test]
#[ignore = "needs Chromium and chromedriver"]
fn odd_series_are_drawn_too() {
    let (sandbox, _) = recorded(12, |i| {
        let zero = if i < 6 { 0.0 } else { 5.0 };
        let mut all =
            vec![measured("zeros", Metric::time(), zero, 1), measured("far", Metric::time(), 10f64.powi(i as i32), 2)];
        if i == 3 {
            all.push(measured("once", Metric::time(), 5.0, 1));
        }
        all.push(measured("%2F&?#=/ä", Metric::time(), 5.0, i));
        vec![("cpu", all)]
    });
    sandbox.perfgate_at("r", &["history", "--store", "dir:runs", "--site", "site"]).exits(0);
    let browser = Browser::start();
    for name in ["zeros", "far", "once", "%2F&?#=/ä"] {
        browser.open(&sandbox, "r/site/index.html");
        browser
            .run(&format!("[...document.querySelectorAll('a.series')].find(a => a.textContent === {name:?}).click()"));
        browser.until("document.querySelector('.uplot')");
        assert_eq!(text(&browser, "#view h2"), name);
        browser.run("location.reload()");
        browser.until("document.querySelector('.uplot')");
        assert_eq!(text(&browser, "#view h2"), name);
        browser.run("document.querySelector('.chart').focus()");
        for key in ["ArrowLeft", "+", "ArrowLeft", "Enter", "Escape", "Escape"] {
            browser.key(key);
        }
        assert_eq!(browser.console_messages(), json!([]), "{name}");
    }
}
