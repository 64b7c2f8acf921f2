//! `heirloom archive …`

use heirloom_server::{
    Problem,
    wire::{Archive, ArchivePatch, Page},
};
use http::Method;

use crate::{
    api::{Api, render},
    arguments,
    output::{Output, list, number_of, table},
};

pub(super) async fn run(
    api: &Api,
    asked: arguments::Archive,
    output: &Output,
) -> Result<(), Problem> {
    match asked {
        arguments::Archive::List => {
            let page: Page<Archive> = api.get("/api/v1/archives").await?;
            output.data(&page, || {
                if page.items.is_empty() {
                    return "No archives yet. Make one with `heirloom scan FOLDER`.".to_owned();
                }
                list(&page.items.iter().map(row).collect::<Vec<_>>())
            });
        }
        arguments::Archive::Show { id } => {
            let archive: Archive = api.get(&format!("/api/v1/archives/{id}")).await?;
            output.data(&archive, || table(&[row(&archive)]));
        }
        arguments::Archive::Rename { id, name } => {
            let body = render(&ArchivePatch { name })?;
            let path = format!("/api/v1/archives/{id}");
            let archive: Archive = api.ask(Method::PATCH, &path, &[], Some(body)).await?;
            output.data(&archive, || table(&[row(&archive)]));
        }
    }
    Ok(())
}

fn row(archive: &Archive) -> Vec<String> {
    vec![
        archive.id.to_string(),
        archive.name.clone(),
        number_of(archive.files.unsigned_abs(), "file", "files"),
        archive.path.clone().unwrap_or_else(|| "vault".to_owned()),
    ]
}
