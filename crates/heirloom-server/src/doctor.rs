//! How Heirloom is doing, for whoever looks after it.

mod folder;
mod ipfs;
mod machine;
mod model;
mod tool;

use axum::{Json, extract::State};
use heirloom_core::{Actor, permission::Action};
use heirloom_db::vault::PIPELINE as ADDITION;
use heirloom_db::{DbError, Engine, archive::Archive};
use heirloom_pipeline::archive::look_at_root;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker, library::Library, metrics::resident_bytes, problem::Problem, store::FOLDER_PLACE,
    wire, wire::Check,
};

pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new().routes(routes!(get_diagnosis))
}

/// Less free space than this needs somebody's attention.
const LITTLE_SPACE_BYTES: u64 = 1 << 30;

/// Looks at everything that Heirloom needs: the catalogue, the disk, the archives' folders.
#[utoipa::path(get, path = "/api/v1/doctor", tag = "machine", responses(
    (status = 200, description = "How it is doing", body = wire::Diagnosis),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_diagnosis(
    State(library): State<Library>,
    Asker(actor): Asker,
) -> Result<Json<wire::Diagnosis>, Problem> {
    actor.require_operator(Action::OperateMachine)?;
    let (db, family) = (library.db(), library.family().id);
    let counts = db.count_all(&actor, family).await?;
    let health = library.blobs().check_health().await;
    let free_bytes = health.as_ref().ok().and_then(|health| health.free_bytes);
    let newest = db.list_runs(&actor, family, None, 1).await?;
    let newest_run_at_ms = newest.items.first().map(|run| run.created_at_ms);
    let archives = db.list_archives(&actor, family).await?;
    let mut checks = vec![
        check_catalogue(&library).await,
        check_blobs(health),
        check_encryption(&library)?,
        check_space(free_bytes),
        folder::check_rights(&library).await?,
        folder::check_disk(&library).await?,
        check_runs(&library).await?,
        check_originals(counts.damaged),
        check_confinement(&library).await?,
        tool::check_ffmpeg(&library).await,
        tool::check_tesseract(&library).await,
        machine::check_clock(newest_run_at_ms),
        machine::check_limits().await?,
        check_backups(&library, &archives).await?,
    ];
    checks.extend(model::check_models(&library));
    checks.extend(model::check_runs(&library));
    checks.extend(model::check_services(&library));
    checks.extend(check_places(&library, &actor).await?);
    checks.extend(ipfs::check_publications(&library, &actor).await?);
    for archive in archives {
        checks.extend(check_archive(archive).await);
    }
    Ok(Json(wire::Diagnosis {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        is_well: checks.iter().all(|check| check.is_well),
        engine: db.engine().as_str().to_owned(),
        data_folder: library.folder().display().to_string(),
        free_bytes,
        resident_bytes: resident_bytes(),
        counts: wire::Counts {
            archives: counts.archives,
            assets: counts.assets,
            missing: counts.missing,
            replaced: counts.replaced,
            deleted: counts.deleted,
            damaged: counts.damaged,
            blobs: counts.blobs,
        },
        checks,
    }))
}

fn well(name: &str, detail: impl Into<String>) -> Check {
    Check {
        name: name.to_owned(),
        is_well: true,
        detail: detail.into(),
        hint: None,
    }
}

/// Something that somebody has to do something about.
fn amiss(name: &str, detail: impl Into<String>, hint: &str) -> Check {
    Check {
        is_well: false,
        hint: Some(hint.to_owned()),
        ..well(name, detail)
    }
}

fn unwell(name: &str, problem: &Problem) -> Check {
    Check {
        name: name.to_owned(),
        is_well: false,
        detail: problem.to_string(),
        hint: problem.get_hint().map(str::to_owned),
    }
}

async fn check_catalogue(library: &Library) -> Check {
    let db = library.db();
    let asked =
        async { Ok::<_, DbError>((db.engine_version().await?, db.has_page_checksums().await?)) };
    match asked.await {
        Ok((version, has_checksums)) => judge_engine(db.engine(), &version, has_checksums),
        Err(error) => unwell("catalogue", &error.into()),
    }
}

/// What the tests run on is the oldest that is known to do.
const OLDEST_POSTGRES: u32 = 15;

/// A flipped bit in a page without a checksum may show nowhere.
fn judge_engine(engine: Engine, version: &str, has_checksums: bool) -> Check {
    let checksums = match has_checksums {
        true => "with a checksum on each page",
        false => "without checksums on its pages",
    };
    let advised = |check: Check, hint: &str| Check {
        hint: (!has_checksums).then(|| hint.to_owned()),
        ..check
    };
    match engine {
        Engine::Sqlite => {
            let detail = format!("SQLite {version} in the data folder, {checksums}");
            advised(
                well("catalogue", detail),
                "They are made when Heirloom starts and has the space to write the catalogue twice: start it again.",
            )
        }
        Engine::Postgres => {
            let detail = format!("PostgreSQL {version}, {checksums}");
            let major = version.split(['.', ' ']).next().map(str::parse::<u32>);
            if matches!(major, Some(Ok(major)) if major < OLDEST_POSTGRES) {
                let hint = format!("Move the database to PostgreSQL {OLDEST_POSTGRES} or newer.");
                amiss("catalogue", format!("{detail} is too old"), &hint)
            } else {
                advised(
                    well("catalogue", detail),
                    "Without them nobody sees a flipped bit: stop PostgreSQL and run `pg_checksums --enable`.",
                )
            }
        }
    }
}

fn check_blobs(health: Result<heirloom_blobs::Health, heirloom_blobs::BlobError>) -> Check {
    match health {
        Ok(_) => well("blobs", "the store takes what is put"),
        Err(error) => unwell("blobs", &error.into()),
    }
}

/// Whether what is to be encrypted is, and what opens it is not where it goes with the disk.
fn check_encryption(library: &Library) -> Result<Check, Problem> {
    let now = library.encryption().describe()?;
    const NAME: &str = "encryption";
    if !now.is_on {
        return Ok(well(NAME, "blobs are not encrypted"));
    }
    let from = now.master_from.unwrap_or_default();
    let elsewhere = format!(
        "Keep copies of {} and of the master key ({from}) away from this machine: without both nothing opens them.",
        now.key_file
    );
    let mut places = library.store().places.iter();
    if now.is_master_beside && places.any(|place| place.location == FOLDER_PLACE) {
        return Ok(amiss(
            NAME,
            "the master key lies in the data folder, beside what it opens",
            "Move it to another disk, and name it there with `master_key_file`.",
        ));
    }
    if now.failed > 0 {
        let detail = format!("{} damaged blobs could not be encrypted", now.failed);
        let hint = "`heirloom fsck --repair`, then `heirloom encryption rotate`.";
        return Ok(amiss(NAME, detail, hint));
    }
    if !now.is_complete && !now.is_sealing {
        let hint = "`heirloom encryption on` or `heirloom serve` goes on with it.";
        return Ok(amiss(
            NAME,
            "not every blob is encrypted with the newest key",
            hint,
        ));
    }
    let detail = if now.is_complete {
        "every blob is encrypted"
    } else {
        "blobs are being encrypted"
    };
    Ok(Check {
        hint: Some(elsewhere),
        ..well(NAME, detail)
    })
}

fn check_space(free_bytes: Option<u64>) -> Check {
    match free_bytes {
        Some(free) if free < LITTLE_SPACE_BYTES => Check {
            is_well: false,
            hint: Some("Free some space or move the data folder to a larger disk.".to_owned()),
            ..well("space", format!("only {} MB are left", free / 1_000_000))
        },
        Some(free) => well("space", format!("{} GB are left", free / 1_000_000_000)),
        None => well("space", "the store does not say how much is left"),
    }
}

fn check_originals(damaged: i64) -> Check {
    match damaged {
        0 => well("originals", "none is known to be damaged"),
        damaged => Check {
            is_well: false,
            hint: Some(
                "Put copies from a backup in their places, then `heirloom scan --verify`. What is in the vault \
                 is made good by `heirloom add` of the same file."
                    .to_owned(),
            ),
            ..well(
                "originals",
                format!("{damaged} are damaged: `heirloom scrub` names them"),
            )
        },
    }
}

async fn check_runs(library: &Library) -> Result<Check, Problem> {
    // An addition that was begun waits for what somebody sends, and that is theirs to do.
    let unended = library.db().list_unended_runs().await?;
    // Nothing was interrupted of a run that has not begun.
    let unended = unended
        .iter()
        .filter(|run| run.pipeline != ADDITION && run.started_at_ms.is_some())
        .count();
    let running = library.scans().count() + library.engine().count();
    let interrupted = unended.saturating_sub(running);
    Ok(if interrupted > 0 {
        Check {
            is_well: false,
            hint: Some(
                "They go on when `heirloom serve` starts, or with `heirloom scan`.".to_owned(),
            ),
            ..well("runs", {
                let verb = if interrupted == 1 {
                    "run was"
                } else {
                    "runs were"
                };
                format!("{interrupted} {verb} interrupted")
            })
        }
    } else {
        well("runs", format!("{running} under way, none interrupted"))
    })
}

/// Whether what is read from files of unknown makers is read where it can do no harm.
async fn check_confinement(library: &Library) -> Result<Check, Problem> {
    let confinement = library.engine().confinement().clone();
    let looking = tokio::task::spawn_blocking(move || confinement.strength());
    let gaps = looking.await.map_err(Problem::internal)?.gaps();
    Ok(if gaps.is_empty() {
        well(
            "confinement",
            "pictures, films and recordings are read by processes that can reach nothing else",
        )
    } else {
        Check {
            is_well: false,
            hint: Some(
                "Use Linux 5.13 or newer with Landlock and seccomp on, and in a container allow both. Until then, \
                 let Heirloom run under an account of its own that can read the originals and nothing else."
                    .to_owned(),
            ),
            ..well("confinement", gaps.join("; "))
        }
    })
}

/// Whether everything is kept a second time, and that is proved.
async fn check_backups(library: &Library, archives: &[Archive]) -> Result<Check, Problem> {
    let standing = library.backups().standing().await?;
    Ok(match (&standing.schedule, standing.alarms.is_empty()) {
        (None, _) => {
            const HINT: &str = "`heirloom backup schedule REPO` does it every day.";
            // What lies in folders is somebody else's, too; what was handed over may be nowhere but here.
            let mut vaults = archives.iter().filter(|archive| archive.root.is_none());
            match vaults.any(|vault| vault.location_count > 0) {
                true => amiss(
                    "backups",
                    "originals that were handed over are kept here, and nothing is backed up regularly",
                    HINT,
                ),
                false => Check {
                    hint: Some(HINT.to_owned()),
                    ..well("backups", "nothing is backed up regularly")
                },
            }
        }
        (Some(schedule), true) => well("backups", format!("into {}", schedule.repository)),
        (Some(_), false) => {
            let alarms: Vec<_> = standing.alarms.into_iter().map(|it| it.words).collect();
            Check {
                is_well: false,
                hint: Some(
                    "`heirloom backup show` says what was done and why it failed.".to_owned(),
                ),
                ..well("backups", alarms.join("; "))
            }
        }
    })
}

/// Whether blobs are where they are kept, in a library that has more than one place for them.
async fn check_places(library: &Library, actor: &Actor) -> Result<Option<Check>, Problem> {
    let places = &library.store().places;
    if places.len() < 2 {
        return Ok(None);
    }
    let names: Vec<_> = places
        .iter()
        .map(|place| match place.is_leaving {
            true => format!("{} (leaving)", place.name),
            false => place.name.clone(),
        })
        .collect();
    let names = names.join(", ");
    let moves = library.moves().list(actor).await?;
    const HINT: &str =
        "`heirloom store status` says what is where, `heirloom store move` tries again.";
    Ok(Some(match moves.first() {
        None => Check {
            hint: Some("`heirloom serve` does, or `heirloom store move`.".to_owned()),
            ..well("places", format!("{names}; nothing was moved yet"))
        },
        Some(last) => match (
            &last.error,
            wire::StoreMove::from(last.clone()).problems.len(),
        ) {
            (Some(error), _) => amiss("places", format!("{names}; {error}"), HINT),
            (None, 0) => well("places", names),
            (None, stay) => amiss(
                "places",
                format!("{names}; {stay} blobs cannot be moved"),
                HINT,
            ),
        },
    }))
}

/// Whether an archive's folder is there and has something in it.
async fn check_archive(archive: Archive) -> Option<Check> {
    let name = format!("archive {}", archive.name);
    let files = archive.location_count;
    let shown = archive.root.clone()?;
    let looked = tokio::task::spawn_blocking(move || look_at_root(&archive)).await;
    match looked
        .map_err(Problem::internal)
        .and_then(|looked| Ok(looked?))
    {
        Ok(()) => {
            let noun = if files == 1 { "file" } else { "files" };
            Some(well(&name, format!("{files} {noun} at {shown}")))
        }
        Err(problem) => Some(unwell(&name, &problem)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_database_server_is_named() {
        let cases = [
            ("15.14 (Debian 15.14-0+deb12u1)", true),
            ("18beta1", true),
            ("16.2", true),
            ("14.9", false),
            ("9.6.24", false),
        ];
        for (version, is_well) in cases {
            let check = judge_engine(Engine::Postgres, version, true);
            assert_eq!(check.is_well, is_well, "{check:?}");
            assert_eq!(check.hint.is_some(), !is_well, "{check:?}");
        }
        assert!(judge_engine(Engine::Sqlite, "3.50.4", true).is_well);
    }

    #[test]
    fn whether_pages_have_checksums_is_said_and_what_to_do() {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let with = judge_engine(engine, "16.2", true);
            assert!(
                with.detail.ends_with("with a checksum on each page"),
                "{with:?}"
            );
            assert!(with.is_well && with.hint.is_none(), "{with:?}");
            let without = judge_engine(engine, "16.2", false);
            assert!(
                without.detail.ends_with("without checksums on its pages"),
                "{without:?}"
            );
            assert!(without.hint.is_some(), "{without:?}");
        }
    }
}
