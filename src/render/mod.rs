//! Turns a Report into text. All views read the same Report; nothing here decides an outcome or prints.

mod badge;
mod csv;
pub mod escape;
mod explanation;
mod file_stem;
pub mod fit;
mod flame;
mod history;
mod html;
mod json;
mod junit;
mod legend;
mod listing;
mod markdown;
mod measure_command;
mod method;
mod next;
mod notices;
mod open_reason;
mod open_shift;
mod outliers;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "plots")]
pub mod plots;
mod printed_change;
mod quantity;
mod remarks;
mod replay;
pub mod rows;
mod summary;
mod table;
pub mod template;
mod trend;
mod verdict_text;
mod workflow;

pub use badge::badge;
pub use csv::csv;
pub use explanation::{explanation_markdown, explanation_table};
pub use history::{CommitText, HistoryFacts, HistoryView, detail, history_csv, history_json, overview};
pub use html::{HistorySite, explanation_page, history_page, history_site, report_page};
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use next::next_step;
pub use notices::{
    accept_command, acceptance_remark, accepted, accepted_nothing, changed_rules, notices, recorded_gap, refused,
    same_names, unclear_group, unused_rules,
};
#[cfg(feature = "parquet")]
pub use parquet::{COLUMNS, Origin, SCHEMA, parquet};
pub use quantity::{change, counted, pair as quantities, percent};
pub use replay::{replay_json, replay_table, suggestion};
pub use summary::{heading as verdict_line, reasons};
pub use table::{TableOptions, table};
pub use verdict_text::{not_judged, verdict as verdict_sentence};
pub use workflow::{workflow, workflow_notes};
