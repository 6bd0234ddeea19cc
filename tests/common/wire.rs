//! Broken connections: a proxy that counts requests and can cut or hold a connection after a number of bytes, and a server
//! that always gives the same answer. All on the loopback address.
#![allow(dead_code)] // each test file uses its own part

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// What a proxy does to a connection.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Nothing.
    None,
    /// Cuts the connection after this many bytes from the client.
    CutSent(usize),
    /// Cuts the connection after this many bytes from the server.
    CutAnswered(usize),
    /// Forwards only this many bytes from the client, and keeps the connection open.
    Hold(usize),
    /// Removes a parameter from every request, like a server without support for it.
    Without(&'static str),
}

/// A proxy in front of a server.
pub struct Proxy {
    /// Its URL.
    pub url: String,
    requests: Arc<AtomicUsize>,
    /// Number of connections that will still get the fault.
    faulty: Arc<AtomicUsize>,
    reached: Arc<AtomicBool>,
}

impl Proxy {
    /// A proxy with a fault in the first connections.
    pub fn before(server: &str, fault: Fault, connections: usize) -> Proxy {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (requests, reached) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let faulty = Arc::new(AtomicUsize::new(connections));
        let proxy = Proxy { url, requests: requests.clone(), faulty: faulty.clone(), reached: reached.clone() };
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&server)) else { continue };
                let one_less = |left: usize| left.checked_sub(1);
                let hit = faulty.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
                let fault = if hit { fault } else { Fault::None };
                let (up, down) = ((client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client));
                let (requests, reached, again) = (requests.clone(), reached.clone(), reached.clone());
                thread::spawn(move || forward(up.0, up.1, Direction::Up, fault, Some(&requests), &reached));
                thread::spawn(move || forward(down.0, down.1, Direction::Down, fault, None, &again));
            }
        });
        proxy
    }

    /// Requests so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Waits until the fault has happened.
    pub fn wait_for_fault(&self) {
        for _ in 0..600 {
            if self.reached.load(Ordering::SeqCst) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the fault never happened");
    }

    /// True if the fault has happened.
    pub fn faulted(&self) -> bool {
        self.reached.load(Ordering::SeqCst)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Up,
    Down,
}

fn forward(
    mut from: TcpStream,
    mut to: TcpStream,
    direction: Direction,
    fault: Fault,
    requests: Option<&AtomicUsize>,
    reached: &AtomicBool,
) {
    let limit = match (fault, direction) {
        (Fault::CutSent(bytes) | Fault::Hold(bytes), Direction::Up) => bytes,
        (Fault::CutAnswered(bytes), Direction::Down) => bytes,
        _ => usize::MAX,
    };
    let (mut carried, mut buffer) = (0, [0; 4096]);
    while let Ok(n) = from.read(&mut buffer) {
        if n == 0 {
            break;
        }
        if let Some(requests) = requests {
            // Only a request line ends like this in the traffic of these tests. Small requests arrive in one piece.
            let lines = buffer[..n].windows(11).filter(|window| window == b" HTTP/1.1\r\n").count();
            requests.fetch_add(lines, Ordering::SeqCst);
        }
        let allowed = n.min(limit - carried);
        let sent = match fault {
            Fault::Without(name) if direction == Direction::Up => without(&buffer[..allowed], name),
            _ => buffer[..allowed].to_vec(),
        };
        if to.write_all(&sent).is_err() {
            break;
        }
        carried += allowed;
        if allowed < n || carried == limit {
            reached.store(true, Ordering::SeqCst);
            if matches!(fault, Fault::Hold(_)) {
                thread::sleep(Duration::from_secs(120));
            }
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn without(request: &[u8], name: &str) -> Vec<u8> {
    let parameter = format!("&{name}=");
    let Some(start) = request.windows(parameter.len()).position(|part| part == parameter.as_bytes()) else {
        return request.to_vec();
    };
    let value = &request[start + parameter.len()..];
    let end = value.iter().position(|byte| matches!(byte, b'&' | b' ')).unwrap_or(value.len());
    [&request[..start], &value[end..]].concat()
}

/// Starts a server that always gives the same answer; returns its URL.
pub fn answering(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || answer(client, status, body));
        }
    });
    url
}

fn answer(mut client: TcpStream, status: &str, body: &str) {
    let mut buffer = [0; 65536];
    while client.read(&mut buffer).is_ok_and(|n| n > 0) {
        let length = body.len();
        let text =
            format!("HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n\r\n{body}");
        if client.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

/// An address without a server.
pub fn unreachable() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
