//! Typed arguments of statements. A missing value has a type too: PostgreSQL asks for it.

use heirloom_core::ContentHash;

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
    ArtifactId ClaimId ClaimBatchId CollectionId AudienceId RunId UnitId AuditId UploadId
}
