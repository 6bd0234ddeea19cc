//! A headless Chromium for tests of pages.

use super::Sandbox;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A headless browser, controlled through WebDriver.
pub struct Browser {
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
    pub fn start() -> Browser {
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

    pub fn post(&self, what: &str, body: Value) -> Value {
        request(self.port, "POST", &format!("/session/{}/{what}", self.session), Some(&body)).unwrap()
    }

    pub fn open(&self, sandbox: &Sandbox, page: &str) {
        self.post("url", json!({"url": format!("file://{}", sandbox.path(page).display())}));
    }

    pub fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({"script": script, "args": []}))
    }

    pub fn console_messages(&self) -> Value {
        self.post("se/log", json!({"type": "browser"}))
    }

    /// Runs a script that calls `done` with its answer.
    pub fn wait_for(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; {script}");
        self.post("execute/async", json!({"script": script, "args": []}))
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn until(&self, expression: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        while self.run(&format!("return Boolean({expression})")) != true {
            assert!(Instant::now() < end, "never true: {expression}\n{}", self.console_messages());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// The element of a selector, for WebDriver.
    #[track_caller]
    fn element(&self, css: &str) -> Value {
        let found = self.post("element", json!({"using": "css selector", "value": css}));
        assert!(found["error"].is_null(), "{css}: {found}");
        found
    }

    /// Clicks the middle of an element with the mouse.
    #[track_caller]
    pub fn click(&self, css: &str) {
        let element = self.element(css);
        let id = element.as_object().unwrap().values().next().unwrap().as_str().unwrap();
        let answer = self.post(&format!("element/{id}/click"), json!({}));
        assert!(answer.is_null(), "{css}: {answer}");
    }

    /// Presses the mouse at a place of an element, counted from its middle, and releases it at another; without a second
    /// place, only moves it there.
    pub fn mouse(&self, css: &str, from: (i32, i32), to: Option<(i32, i32)>) {
        let element = self.element(css);
        let move_to =
            |(x, y): (i32, i32)| json!({"type": "pointerMove", "duration": 50, "origin": element, "x": x, "y": y});
        let mut steps = vec![move_to(from)];
        if let Some(to) = to {
            steps.push(json!({"type": "pointerDown", "button": 0}));
            if to != from {
                steps.push(move_to(((from.0 + to.0) / 2, to.1)));
                steps.push(move_to(to));
            }
            steps.push(json!({"type": "pointerUp", "button": 0}));
        }
        self.post("actions", json!({"actions": [{"type": "pointer", "id": "mouse", "actions": steps}]}));
    }

    /// Presses a key; letters and digits as they are, others by WebDriver's code.
    pub fn key(&self, key: &str) {
        let code = match key {
            "Enter" => "\u{E007}",
            "Escape" => "\u{E00C}",
            "Tab" => "\u{E004}",
            "ArrowLeft" => "\u{E012}",
            "ArrowUp" => "\u{E013}",
            "ArrowRight" => "\u{E014}",
            "ArrowDown" => "\u{E015}",
            "Home" => "\u{E011}",
            other => other,
        };
        let steps = [json!({"type": "keyDown", "value": code}), json!({"type": "keyUp", "value": code})];
        self.post("actions", json!({"actions": [{"type": "key", "id": "keys", "actions": steps}]}));
    }

    /// A screen of a size, with the system's colours.
    pub fn screen(&self, width: u32, height: u32, scheme: &str) {
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}),
        );
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.cdp("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// A command of Chromium's own protocol.
    pub fn cdp(&self, command: &str, parameters: Value) -> Value {
        self.post("goog/cdp/execute", json!({"cmd": command, "params": parameters}))
    }

    /// The violations that axe finds in what the page shows, each with its first place.
    pub fn accessibility_violations(&self) -> Value {
        let path =
            std::env::var("PERFGATE_AXE").unwrap_or_else(|_| "target/axe/node_modules/axe-core/axe.min.js".into());
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let axe = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            let install = "npm install --prefix target/axe --ignore-scripts axe-core@4.14.1";
            panic!("{}: {error}; install it with `{install}`, or set PERFGATE_AXE", path.display())
        });
        self.run(&axe);
        let short = "all => all.violations.map(one => one.id + ': ' + one.nodes.length + ' × ' + one.nodes[0].html.slice(0, 200) + ' ' + one.nodes[0].failureSummary)";
        self.wait_for(&format!("axe.run(document).then({short}).then(done, error => done(String(error)))"))
    }
}
