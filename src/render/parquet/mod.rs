//! A stored run as a Parquet file: a flat table with a row per benchmark, metric and repetition. `io::export` writes the
//! file; docs/export.md documents the columns, and a test compares the two.
//!
//! The schema only grows: new columns are added at the end, and no column changes its meaning. Any other change needs a
//! new version in the metadata of the file.

mod columns;

pub use columns::{COLUMNS, Origin};

use crate::model::Run;
use columns::{Cell, Column, Kind, Row};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;

/// The version of the schema, in the file's metadata as `perfgate.schema`.
pub const SCHEMA: u32 = 1;

/// Rows of a row group, which limits memory use.
const ROWS: usize = 20_000;

/// Writes a run, with its samples, as one file. The same run gives the same bytes.
pub fn parquet(run: &Run, origin: Origin<'_>, out: impl Write + Send) -> Result<(), ParquetError> {
    let schema = Arc::new(parse_message_type(&schema())?);
    let note = |key: &str, value: String| KeyValue::new(format!("perfgate.{key}"), value);
    let metadata = vec![note("schema", SCHEMA.to_string()), note("run", origin.id.to_owned())];
    let properties = WriterProperties::builder()
        .set_created_by(concat!("perfgate ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_column_dictionary_enabled(ColumnPath::from("samples.list.element"), false)
        .set_key_value_metadata(Some(metadata))
        .build();
    let mut file = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    let rows: Vec<Row<'_>> = Row::all(run, origin);
    for rows in rows.chunks(ROWS) {
        let mut group = file.next_row_group()?;
        for column in COLUMNS {
            let cells: Vec<Cell<'_>> = rows.iter().map(column.cell).collect();
            write_column(&mut group, column, &cells)?;
        }
        group.close()?;
    }
    file.close().map(|_| ())
}

fn schema() -> String {
    let mut schema = String::from("message perfgate_run {\n");
    for Column { name, kind, required, .. } in COLUMNS {
        let need = if *required { "required" } else { "optional" };
        let _ = match kind {
            Kind::Text => writeln!(schema, "{need} binary {name} (STRING);"),
            Kind::Time => writeln!(schema, "{need} int64 {name} (TIMESTAMP(MICROS,true));"),
            Kind::Flag => writeln!(schema, "{need} boolean {name};"),
            Kind::Integer => writeln!(schema, "{need} int32 {name};"),
            Kind::Count => writeln!(schema, "{need} int64 {name};"),
            Kind::Number => writeln!(schema, "{need} double {name};"),
            Kind::Numbers => {
                writeln!(schema, "{need} group {name} (LIST) {{ repeated group list {{ required double element; }} }}")
            }
        };
    }
    schema + "}"
}

fn write_column<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &Column,
    cells: &[Cell<'_>],
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("the schema has fewer columns than the table".to_owned());
    let mut writer = group.next_column()?.ok_or_else(missing)?;
    match column.kind {
        Kind::Text => plain::<ByteArrayType>(&mut writer, column, cells, |cell| match cell {
            Cell::Text(text) => Some(ByteArray::from(text.as_bytes().to_vec())),
            _ => None,
        }),
        Kind::Time | Kind::Count => plain::<Int64Type>(&mut writer, column, cells, |cell| match cell {
            Cell::Whole(value) => Some(*value),
            _ => None,
        }),
        Kind::Integer => plain::<Int32Type>(&mut writer, column, cells, |cell| match cell {
            Cell::Whole(value) => i32::try_from(*value).ok(),
            _ => None,
        }),
        Kind::Flag => plain::<BoolType>(&mut writer, column, cells, |cell| match cell {
            Cell::Flag(flag) => Some(*flag),
            _ => None,
        }),
        Kind::Number => plain::<DoubleType>(&mut writer, column, cells, |cell| match cell {
            Cell::Number(number) => Some(*number),
            _ => None,
        }),
        Kind::Numbers => lists(&mut writer, cells),
    }?;
    writer.close()
}

fn plain<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    column: &Column,
    cells: &[Cell<'_>],
    value: impl Fn(&Cell<'_>) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let values: Vec<Option<T::T>> = cells.iter().map(value).collect();
    let levels: Option<Vec<i16>> =
        (!column.required).then(|| values.iter().map(|value| i16::from(value.is_some())).collect());
    let present: Vec<T::T> = values.into_iter().flatten().collect();
    if column.required && present.len() < cells.len() {
        return Err(ParquetError::General(format!("{} is missing in a row", column.name)));
    }
    writer.typed::<T>().write_batch(&present, levels.as_deref(), None).map(|_| ())
}

/// Definition levels: 0 for no list, 1 for an empty list, 2 for an element. Repetition levels: 0 for the first element.
fn lists(writer: &mut SerializedColumnWriter<'_>, cells: &[Cell<'_>]) -> Result<(), ParquetError> {
    let (mut values, mut levels, mut repeats) = (Vec::new(), Vec::new(), Vec::new());
    for cell in cells {
        match cell {
            Cell::Numbers(numbers) if !numbers.is_empty() => {
                values.extend_from_slice(numbers);
                levels.extend(numbers.iter().map(|_| 2));
                repeats.push(0);
                repeats.extend(numbers.iter().skip(1).map(|_| 1));
            }
            cell => {
                levels.push(i16::from(matches!(cell, Cell::Numbers(_))));
                repeats.push(0);
            }
        }
    }
    writer.typed::<DoubleType>().write_batch(&values, Some(&levels), Some(&repeats)).map(|_| ())
}
