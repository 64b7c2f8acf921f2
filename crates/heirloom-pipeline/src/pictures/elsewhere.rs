//! A service that says what pictures show.

use bytes::Bytes;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::provider::PROVIDERS;
use crate::{
    confinement::JobHeader,
    understand::UnderstandError,
    way::{Service, vision::show},
};

/// Has the picture looked at that was drawn; all else stays as it is. What it looks like is taken from what a model on this
/// machine says of it, if one does.
pub(super) async fn look(
    service: &Service,
    parts: Vec<(JobHeader, Bytes)>,
    own: Vec<(JobHeader, Bytes)>,
    cancelled: &CancellationToken,
) -> Result<Vec<(JobHeader, Bytes)>, UnderstandError> {
    let own = own
        .into_iter()
        .find(|(header, _)| header["tags"].is_array());
    let imprint = own.map(|(_, bytes)| bytes).unwrap_or_default();
    let mut looked = Vec::with_capacity(parts.len());
    for (header, bytes) in parts {
        if header["is_drawn"] != true {
            looked.push((header, bytes));
            continue;
        }
        let tags = show(service, &PROVIDERS, &bytes, cancelled).await?;
        looked.push((json!({ "tags": tags }), imprint.clone()));
    }
    Ok(looked)
}
