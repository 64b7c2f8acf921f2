//! Schemas of types that core has and that know nothing of OpenAPI.

use heirloom_core::{
    MediaKind,
    backup::{BackupKind, BackupState},
    claim::ClaimKind,
    duplicate::{Likeness, Reason},
    run::RunState,
    unit::{FailureCode, UnitState},
};
use heirloom_pipeline::{backup::FaultCode, export::ProblemCode, import::NoteCode};
use utoipa::openapi::{
    RefOr, Schema,
    schema::{ArrayBuilder, ObjectBuilder, SchemaFormat, Type},
};

pub(crate) fn words<'a>(words: impl IntoIterator<Item = &'a str>, about: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(
            words.into_iter().map(str::to_owned).collect::<Vec<_>>(),
        ))
        .description(Some(about))
        .build()
        .into()
}

fn text(format: Option<&str>, about: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(format.map(|format| SchemaFormat::Custom(format.to_owned())))
        .description(Some(about))
        .build()
        .into()
}

pub(crate) fn id() -> RefOr<Schema> {
    text(Some("uuid"), "An id: UUID version 7.")
}

pub(crate) fn hash() -> RefOr<Schema> {
    text(None, "BLAKE3 of the bytes: 64 hexadecimal digits.")
}

pub(crate) fn media_kind() -> RefOr<Schema> {
    words(
        MediaKind::ALL.map(MediaKind::as_str),
        "What kind of original it is.",
    )
}

pub(crate) fn claim_kind() -> RefOr<Schema> {
    words(
        ClaimKind::ALL.map(ClaimKind::as_str),
        "What is said something of.",
    )
}

pub(crate) fn likeness() -> RefOr<Schema> {
    words(
        Likeness::ALL.map(Likeness::as_str),
        "Why pictures are in one group.",
    )
}

pub(crate) fn reasons() -> RefOr<Schema> {
    let reason = words(
        Reason::ALL.map(Reason::as_str),
        "What a picture has over others.",
    );
    ArrayBuilder::new()
        .items(reason)
        .description(Some("What it has over others, the weightiest first."))
        .build()
        .into()
}

pub(crate) fn run_state() -> RefOr<Schema> {
    words(RunState::ALL.map(RunState::as_str), "Where it stands.")
}

pub(crate) fn backup_kind() -> RefOr<Schema> {
    words(
        BackupKind::ALL.iter().map(|kind| kind.as_str()),
        "What is done with a repository of backups.",
    )
}

pub(crate) fn backup_state() -> RefOr<Schema> {
    words(
        BackupState::ALL.iter().map(|state| state.as_str()),
        "Where it stands.",
    )
}

pub(crate) fn failure_code() -> RefOr<Schema> {
    words(
        FailureCode::ALL.map(FailureCode::as_str),
        "Why it failed, as a word: its original is `gone` from where it was or was `changed` there, or lies in an archive (`archived`); it is \
         `damaged`, stored in an `unsupported` way, or has nothing of what was looked for in it (`empty`); it is \
         `too_large`, takes more memory (`out_of_memory`) or time (`timed_out`) than is allowed, or what reads \
         it `crashed`; the disk is full (`no_space`), or a program is needed that is not there (`no_program`). \
         The rest is `other`.",
    )
}

pub(crate) fn problem_code() -> RefOr<Schema> {
    words(
        ProblemCode::ALL.map(ProblemCode::as_str),
        "What is the matter, as a word. What has none is `other`.",
    )
}

pub(crate) fn note_code() -> RefOr<Schema> {
    words(
        NoteCode::ALL.map(NoteCode::as_str),
        "What there is to know, as a word.",
    )
}

pub(crate) fn fault_code() -> RefOr<Schema> {
    words(
        FaultCode::ALL.map(FaultCode::as_str),
        "What is wrong, as a word. What has none is `other`.",
    )
}

pub(crate) fn unit_state() -> RefOr<Schema> {
    words(UnitState::ALL.map(UnitState::as_str), "Where it stands.")
}
