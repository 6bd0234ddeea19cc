//! `perfgate bisect`: stub
#[derive(Debug, clap::Args)]
#[command(after_help="perfgate bisect")]
/// x
pub struct BisectArgs {}
/// x
pub fn run(_: BisectArgs, _: &super::Global) -> anyhow::Result<u8> { Ok(2) }
