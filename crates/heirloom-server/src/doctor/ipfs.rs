//! What is published: whether those who are to keep it do, and can be asked.

use std::time::Duration;

use heirloom_core::Actor;
use heirloom_db::publication::{PinPlace, PinStatus, PublicationState};
use heirloom_pipeline::ipfs::{IpfsSettings, check_node};
use tokio_util::sync::CancellationToken;

use super::{amiss, well};
use crate::{library::Library, problem::Problem, wire::Check};

/// How long a node is waited for: somebody waits for the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much that is wrong is told one by one.
const TOLD: usize = 5;

/// What is wrong with the node and with publications; nothing where IPFS is neither configured nor used.
pub(super) async fn check_publications(
    library: &Library,
    actor: &Actor,
) -> Result<Vec<Check>, Problem> {
    let settings = library.transfers().ipfs();
    let publications = library
        .db()
        .list_publications(actor, library.family().id)
        .await?;
    let mut checks = Vec::new();
    if settings.node.is_some() {
        checks.push(check_the_node(settings).await);
    }
    let mut wrong = Vec::new();
    let (mut kept, mut is_lacking_a_node) = (0, false);
    for publication in publications {
        let id = publication.collection_id;
        let collection = library.db().get_collection(actor, id).await?;
        let name = format!("{:?}", collection.name);
        if publication.state == PublicationState::Failed {
            let why = publication.error.as_deref().unwrap_or("it failed");
            wrong.push(format!("{name} is not published: {why}"));
        }
        if matches!(
            publication.state,
            PublicationState::Publishing | PublicationState::Published
        ) {
            kept += 1;
            is_lacking_a_node |= settings.node.is_none();
        }
        for pin in library.db().list_pins(id).await? {
            let who = match pin.place {
                PinPlace::Node => "the IPFS node",
                PinPlace::Service => "the pinning service",
            };
            if pin.status == PinStatus::Failed || pin.error.is_some() {
                let why = pin.error.as_deref().unwrap_or("it does not keep it");
                wrong.push(format!("{name}: {who}: {why}"));
            }
        }
    }
    if is_lacking_a_node {
        wrong.push("collections are published, and no IPFS node is configured".to_owned());
    }
    const NAME: &str = "publications";
    if !wrong.is_empty() {
        let more = wrong.len().saturating_sub(TOLD);
        wrong.truncate(TOLD);
        let mut detail = wrong.join("; ");
        if more > 0 {
            detail += &format!("; and {more} more");
        }
        let hint =
            "`heirloom ipfs status` asks them all again; publishing again tries what failed.";
        checks.push(amiss(NAME, detail, hint));
    } else if kept > 0 {
        checks.push(well(NAME, format!("{kept} kept, as far as was last heard")));
    }
    Ok(checks)
}

async fn check_the_node(settings: &IpfsSettings) -> Check {
    const NAME: &str = "ipfs node";
    // Only the first answer is waited for: what is slow now is told.
    let quick = IpfsSettings {
        patience: PATIENCE,
        pause: Duration::from_millis(20),
        ..settings.clone()
    };
    let stop = CancellationToken::new();
    let asked = tokio::time::timeout(PATIENCE, check_node(&quick, &stop)).await;
    match asked {
        Ok(Ok(version)) => well(NAME, format!("it answers, as version {version}")),
        Ok(Err(error)) => {
            let hint = error
                .hint()
                .unwrap_or("Start it, or correct `ipfs_node` in config.toml.");
            amiss(NAME, error.to_string(), hint)
        }
        Err(_) => amiss(
            NAME,
            "the IPFS node does not answer in time",
            "Start it, or correct `ipfs_node` in config.toml.",
        ),
    }
}
