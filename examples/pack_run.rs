//! Packs a criterion tree into one stored run: `cargo run --example pack_run -- TREE OUT.pgrun`.
//! The recorded runs in tests/data/accuracy and accuracy-steady were packed with it.

use perfgate::io::input::{self, Location, Request};
use perfgate::model::{Detail, record};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [tree, out] = arguments.as_slice() else { return Err("usage: pack_run TREE OUT.pgrun".into()) };
    let location = Location::parse(tree).ok_or("no such tree")?;
    let request = Request { format: None, detail: Detail::Samples, committed: None };
    let loaded = input::load(&location, request)?;
    std::fs::write(out, record::encode(&loaded.run)?)?;
    Ok(())
}
