//! Typed arguments of statements. A missing value has a type too: PostgreSQL asks for it.

use heirloom_core::ContentHash;
use sqlx::{
    Database, IntoArguments, error::BoxDynError, postgres::PgArguments, sqlite::SqliteArguments,
};

use crate::DbError;

/// One argument.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Bool(Option<bool>),
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    /// Values of one kind, for PostgreSQL.
    Array(Vec<Value>),
}

/// Writes a list of arguments of mixed types.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::value::Value::from($value)),*] };
}
pub(crate) use args;

macro_rules! convert {
    ($($type:ty => $variant:ident($with:expr);)*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(Some(($with)(value)))
            }
        }

        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Self::$variant(value.map($with))
            }
        }
    )*};
}

convert! {
    bool => Bool(|value| value);
    i64 => Int(|value| value);
    f64 => Real(|value| value);
    &str => Text(str::to_owned);
    String => Text(|value| value);
    &String => Text(Clone::clone);
    Vec<u8> => Bytes(|value| value);
    ContentHash => Bytes(|hash: ContentHash| hash.as_bytes().to_vec());
    uuid::Uuid => Bytes(|id: uuid::Uuid| id.as_bytes().to_vec());
}

macro_rules! convert_ids {
    ($($id:ident)*) => { convert! { $(
        heirloom_core::$id => Bytes(|id: heirloom_core::$id| id.as_bytes().to_vec());
    )* } };
}

convert_ids! {
    FamilyId AccountId PersonId ArchiveId FolderId AssetId LocationId SidecarId StackId DocumentId
    ArtifactId ClaimId ClaimBatchId CollectionId AudienceId FaceId RunId UnitId AuditId UploadId BackupId
}

/// As SQLite takes them.
pub(crate) fn bind_lite(values: Vec<Value>) -> Result<SqliteArguments, DbError> {
    bind(values, |_, _| Err("SQLite has no arrays".into()))
}

/// As PostgreSQL takes them.
pub(crate) fn bind_pg(values: Vec<Value>) -> Result<PgArguments, DbError> {
    macro_rules! of_kind {
        ($kind:ident, $args:ident, $values:ident) => {
            $values
                .into_iter()
                .map(|value| match value {
                    Value::$kind(value) => Ok(value),
                    other => Err(format!("{other:?} in an array of another kind")),
                })
                .collect::<Result<Vec<_>, _>>()
                .map_err(BoxDynError::from)
                .and_then(|values| sqlx::Arguments::add($args, values))
        };
    }
    bind(values, |args: &mut PgArguments, values| {
        match values.first() {
            Some(Value::Bool(_)) => of_kind!(Bool, args, values),
            Some(Value::Int(_)) => of_kind!(Int, args, values),
            Some(Value::Real(_)) => of_kind!(Real, args, values),
            Some(Value::Text(_)) => of_kind!(Text, args, values),
            Some(Value::Bytes(_)) => of_kind!(Bytes, args, values),
            Some(Value::Array(_)) | None => Err("an array of nothing".into()),
        }
    })
}

fn bind<A>(
    values: Vec<Value>,
    add_array: impl Fn(&mut A, Vec<Value>) -> Result<(), BoxDynError>,
) -> Result<A, DbError>
where
    A: sqlx::Arguments + IntoArguments<<A as sqlx::Arguments>::Database>,
    A::Database: Database,
    for<'q> Option<bool>: sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
    for<'q> Option<i64>: sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
    for<'q> Option<f64>: sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
    for<'q> Option<String>: sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
    for<'q> Option<Vec<u8>>: sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
{
    let mut args = A::default();
    for value in values {
        match value {
            Value::Bool(value) => args.add(value),
            Value::Int(value) => args.add(value),
            Value::Real(value) => args.add(value),
            Value::Text(value) => args.add(value),
            Value::Bytes(value) => args.add(value),
            Value::Array(values) => add_array(&mut args, values),
        }
        .map_err(|error| DbError::Sql(sqlx::Error::Encode(error)))?;
    }
    Ok(args)
}
