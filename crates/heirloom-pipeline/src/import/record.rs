//! Records of an export as the catalogue takes them. What does not fit is said in one sentence.

use std::collections::HashMap;

use heirloom_core::{ArtifactId, AudienceId, ContentHash, FamilyId};
use heirloom_db::{
    artifact::Artifact,
    asset::{Asset, AssetState},
    collection::Collection,
    export::{Place, Whole, WholeClaim, WholeSidecar},
};

use crate::export::format::{
    ArtifactRecord, AssetRecord, CollectionRecord, LocationRecord, SidecarRecord,
};

/// An asset with all that is known of it. `blobs` are the payloads that are in the store, with their lengths.
pub(super) fn whole_of(
    record: AssetRecord,
    family: FamilyId,
    audience: AudienceId,
    blobs: &HashMap<ArtifactId, (ContentHash, u64)>,
) -> Result<Whole, String> {
    let kind = record.kind.parse();
    let kind = kind.map_err(|_| format!("{:?} is no kind of original", record.kind))?;
    let state = AssetState::from_word(&record.state);
    let state = state.ok_or_else(|| format!("{:?} is no state of an asset", record.state))?;
    // A NUL cannot be stored and means nothing in a name.
    if record.name.is_empty() || record.name.contains('\0') || record.size_bytes < 0 {
        return Err("it has no name, or no length".to_owned());
    }
    let asset = record.id;
    let artifacts = record.artifacts.into_iter();
    let artifacts = artifacts
        .map(|artifact| artifact_of(artifact, asset, blobs))
        .collect();
    Ok(Whole {
        asset: Asset {
            id: asset,
            family_id: family,
            audience_id: audience,
            content_hash: record.blake3,
            size_bytes: record.size_bytes,
            kind,
            media_type: record.media_type,
            state,
            replaces_asset_id: None,
            timeline_key: 0,
            date: None,
            date_from_s: None,
            title: None,
            name: record.name,
            position: None,
            placed: None,
            language: None,
            width: record.width,
            height: record.height,
            duration_ms: record.duration_ms,
            added_at_ms: record.added_at_ms,
            deleted_at_ms: record.deleted_at_ms,
            version: 1,
        },
        places: record.locations.into_iter().map(place_of).collect(),
        sidecars: record.sidecars.into_iter().map(sidecar_of).collect(),
        artifacts,
        claims: record
            .claims
            .into_iter()
            .map(|record| WholeClaim {
                claim: record.claim,
                carried_from: record.carried_from_id,
                batch: record.batch_id,
            })
            .collect(),
    })
}

/// A collection as the catalogue has it.
pub(super) fn collection_of(
    record: CollectionRecord,
    family: FamilyId,
    audience: AudienceId,
) -> Collection {
    Collection {
        id: record.id,
        family_id: family,
        audience_id: audience,
        name: record.name,
        description: record.description,
        query: record.query,
        frozen_at_ms: record.frozen_at_ms,
        created_at_ms: record.created_at_ms,
        updated_at_ms: record.updated_at_ms,
        deleted_at_ms: record.deleted_at_ms,
        version: 1,
    }
}

fn place_of(record: LocationRecord) -> Place {
    Place {
        id: record.id,
        archive: record.archive,
        is_vault: record.archive_kind == "vault",
        path: record.archive_path,
        size_bytes: record.size_bytes,
        modified_at_ns: record.modified_at_ns,
        found_at_ms: record.found_at_ms,
        damaged_at_ms: record.damaged_at_ms,
        gone_at_ms: record.gone_at_ms,
    }
}

fn sidecar_of(record: SidecarRecord) -> WholeSidecar {
    WholeSidecar {
        id: record.id,
        archive: record.archive,
        is_vault: record.archive_kind == "vault",
        path: record.archive_path,
        kind: record.kind,
        content_hash: record.blake3,
        size_bytes: record.size_bytes,
        modified_at_ns: record.modified_at_ns,
        found_at_ms: record.found_at_ms,
        root: None,
    }
}

fn artifact_of(
    record: ArtifactRecord,
    asset: heirloom_core::AssetId,
    blobs: &HashMap<ArtifactId, (ContentHash, u64)>,
) -> Artifact {
    let blob = blobs.get(&record.id);
    Artifact {
        id: record.id,
        asset_id: asset,
        part: record.part,
        kind: record.kind,
        tool: record.tool,
        tool_version: record.tool_version,
        model: record.model,
        parameters: record.parameters,
        inputs: record.inputs,
        is_deterministic: record.is_deterministic,
        run_id: None,
        unit_id: None,
        payload: record.payload,
        blob_hash: blob.map(|(hash, _)| *hash),
        size_bytes: blob.and_then(|(_, size_bytes)| i64::try_from(*size_bytes).ok()),
        made_at_ms: record.made_at_ms,
    }
}
