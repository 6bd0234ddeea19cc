//! Tests of the HTML page in a browser: sorting, filtering and charts work, the console has no errors, and a hostile name
//! is shown as text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::Scene;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A headless browser, controlled through WebDriver.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = request(self.port, "DELETE", &format!("/session/{}", self.session), None);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn request(port: u16, method: &str, path: &str, body: Option<&Value>) -> Option<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
    .ok()?;
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut answer = vec![0; length];
    reader.read_exact(&mut answer).ok()?;
    Some(serde_json::from_slice::<Value>(&answer).ok()?["value"].clone())
}

impl Browser {
    fn start() -> Browser {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = command.spawn().unwrap_or_else(|error| panic!("cannot start chromedriver: {error}"));
        let mut browser = Browser { driver, port, session: String::new() };
        let options = json!({"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]});
        let wanted = json!({"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
        let body = json!({"capabilities": {"alwaysMatch": wanted}});
        for _ in 0..50 {
            if let Some(session) = request(port, "POST", "/session", Some(&body)) {
                browser.session = session["sessionId"].as_str().unwrap_or_else(|| panic!("{session}")).to_owned();
                return browser;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("chromedriver does not answer");
    }

    fn post(&self, what: &str, body: Value) -> Value {
        request(self.port, "POST", &format!("/session/{}/{what}", self.session), Some(&body)).unwrap()
    }

    fn open(&self, scene: &Scene, page: &str) {
        self.post("url", json!({"url": format!("file://{}", scene.path(page).display())}));
    }

    fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({"script": script, "args": []}))
    }

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

    fn console_messages(&self) -> Value {
        self.post("se/log", json!({"type": "browser"}))
    }
}

const HOSTILE: &str = "<img src=x onerror=\"document.title='owned'\"></script><script>document.title='owned'</script>";

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn the_page_sorts_and_filters_and_shows_a_hostile_name_as_text() {
    let browser = Browser::start();
    let scene = Scene::new();
    for i in 0..9_u32 {
        let slower = if i == 4 { 2.0 } else { 1.0 };
        let level = 1000.0 * f64::from(9 - i);
        scene.bench("base", &format!("b{i}"), level, 1).bench("head", &format!("b{i}"), level * slower, 2);
    }
    scene.bench("base", HOSTILE, 50.0, 1).bench("head", HOSTILE, 100.0, 2);
    scene.perfgate(&["compare", "base", "head", "--html", "report.html"]).exits(1);
    browser.open(&scene, "report.html");
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
    browser.find("B4");
    assert_eq!(browser.rows(), ["b4"]);
    assert_eq!(browser.run("return document.getElementById('shown').textContent"), "1 of 10");
    // Its samples are drawn on demand: 17 dots and the centre of the one run on each side.
    let count = |what: &str| browser.run(&format!("return document.querySelectorAll('svg .{what}').length"));
    assert_eq!((count("sample"), count("centre")), (json!(0), json!(0)));
    let press = "document.querySelector('tr[data-name=b4] button').click()";
    browser.run(press);
    assert_eq!((count("sample"), count("base"), count("centre")), (json!(34), json!(17), json!(2)));
    let texts = browser.run("return [...document.querySelectorAll('svg text')].map(t => t.textContent).join(' ')");
    assert!(texts.as_str().unwrap().contains("base (50) head (50)"), "{texts}");
    browser.run(press);
    assert_eq!(count("sample"), 0);
    assert_eq!(browser.console_messages(), json!([]));
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn the_page_of_a_thousand_benchmarks_is_painted_within_a_second() {
    let browser = Browser::start();
    let scene = Scene::new();
    for i in 0..1000_u32 {
        let name = format!("group{}/a_benchmark_with_a_usual_name/{i}", i % 20);
        scene.bench("base", &name, 100.0 + f64::from(i), 1).bench("head", &name, 102.0 + f64::from(i), 2);
    }
    scene.perfgate(&["compare", "base", "head", "--html", "report.html"]);
    browser.open(&scene, "report.html");
    browser.open(&scene, "report.html"); // the first time includes the start of the browser
    let painted = browser.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime");
    let first = browser.run("return performance.getEntriesByName('first-paint')[0].startTime");
    println!(
        "first paint after {first} ms, first content after {painted} ms, {} bytes",
        scene.read("report.html").len()
    );
    assert!(scene.read("report.html").len() < 2_000_000);
    // On an idle machine half of this is enough.
    assert!(painted.as_f64().unwrap() < 1000.0, "{painted} ms");
    assert_eq!(browser.console_messages(), json!([]));
}
