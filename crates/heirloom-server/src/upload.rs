//! Uploads: files on their way into the vault, by tus 1.0.
//!
//! Core, creation, creation-with-upload, expiration, checksum and termination. A `GET` of an upload is
//! our own and gives it as JSON, and so is the question which contents are known before they are sent.

mod headers;

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::from_fn,
    response::{IntoResponse, Response},
};
use heirloom_core::{Actor, RunId, UploadId};
use heirloom_db::{
    DbError, clock,
    upload::{NewUpload, Upload, UploadState},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actor::Asker,
    claim::once,
    extract::{Body as JsonBody, IdPath, IdempotencyKey},
    library::Library,
    problem::{Code, Problem},
    uploads::{Checksum, Part},
    wire,
};
use headers::{Announced, Tus};

/// Questions that are answered at once.
pub(crate) fn routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(find_known))
        .routes(routes!(create_addition))
        .routes(routes!(end_addition))
}

/// What takes as long as it takes to send a file.
pub(crate) fn slow_routes() -> OpenApiRouter<Library> {
    OpenApiRouter::new()
        .routes(routes!(create_upload, get_abilities))
        .routes(routes!(
            get_upload,
            get_offset,
            send_part,
            delete_upload,
            send_overridden
        ))
        .route_layer(from_fn(headers::say_version))
}

/// How many contents can be asked for at once.
const KNOWN_AT_ONCE: usize = 1000;

const ASSET_ID: HeaderName = HeaderName::from_static("asset-id");

/// Which of these contents are assets already, as far as whoever asks may see them, and which can be
/// gone on with. What is not among the answers is to be sent.
#[utoipa::path(post, path = "/api/v1/uploads/known", tag = "upload", request_body = wire::KnownContents, responses(
    (status = 200, description = "What is known of them; always on one page", body = wire::Page<wire::KnownContent>),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn find_known(
    State(library): State<Library>,
    Asker(actor): Asker,
    JsonBody(asked): JsonBody<wire::KnownContents>,
) -> Result<Json<wire::Page<wire::KnownContent>>, Problem> {
    if asked.hashes.len() > KNOWN_AT_ONCE {
        return Err(Problem::new(
            Code::InvalidRequest,
            format!("at most {KNOWN_AT_ONCE} contents can be asked for at once"),
        ));
    }
    let (db, family) = (library.db(), library.family().id);
    let held = db.find_held(&actor, family, &asked.hashes).await?;
    let mut items: Vec<wire::KnownContent> = held
        .into_iter()
        .map(|held| wire::KnownContent {
            content_hash: held.content_hash,
            asset_id: Some(held.asset),
            upload: None,
        })
        .collect();
    let now_ms = clock::now_ms();
    for upload in db.find_uploads_of(&actor, family, &asked.hashes).await? {
        let Some(content_hash) = upload.content_hash else {
            continue;
        };
        let is_known = items.iter().any(|item| item.content_hash == content_hash);
        if upload.expires_at_ms > now_ms && !is_known {
            items.push(wire::KnownContent {
                content_hash,
                asset_id: None,
                upload: Some(wire::Begun {
                    id: upload.id,
                    received_bytes: upload.received_bytes,
                }),
            });
        }
    }
    Ok(Json(wire::Page { items, next: None }))
}

/// Begins an addition: files that are handed over together, and one run. Uploads name it as `addition`
/// in their metadata; an upload that names none is an addition by itself.
#[utoipa::path(post, path = "/api/v1/additions", tag = "upload", request_body = wire::NewAddition, responses(
    (status = 201, description = "The addition", body = wire::Addition),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_addition(
    State(library): State<Library>,
    Asker(actor): Asker,
    JsonBody(new): JsonBody<wire::NewAddition>,
) -> Result<(StatusCode, Json<wire::Addition>), Problem> {
    let db = library.db();
    let vault = db.get_or_create_vault(&actor, library.family()).await?;
    let process = new.process;
    let id = db.create_addition(&actor, &vault, process).await?;
    Ok((StatusCode::CREATED, Json(wire::Addition { id, process })))
}

/// Ends an addition: nothing more comes. What was sent until then stays, and an upload of it that is not
/// complete yet becomes an addition by itself.
#[utoipa::path(post, path = "/api/v1/additions/{id}/end", tag = "upload", params(("id" = String, Path, description = "The addition", format = "uuid")), responses(
    (status = 204, description = "It has ended"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn end_addition(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<RunId>,
) -> Result<StatusCode, Problem> {
    let family = library.family().id;
    library.db().end_addition(&actor, family, id).await?;
    library.uploads().prepare(id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// What this server can do, for clients of tus.
#[utoipa::path(options, path = "/api/v1/uploads", tag = "upload", responses(
    (status = 204, description = "Tus-Version, Tus-Extension, Tus-Max-Size and Tus-Checksum-Algorithm"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_abilities(State(library): State<Library>, Asker(_): Asker) -> Response {
    let mut res = StatusCode::NO_CONTENT.into_response();
    let headers = res.headers_mut();
    headers.insert(
        headers::TUS_VERSION,
        HeaderValue::from_static(headers::VERSION),
    );
    headers.insert(
        headers::TUS_EXTENSION,
        HeaderValue::from_static(headers::EXTENSIONS),
    );
    let max_bytes = library.uploads().limits().max_bytes;
    headers.insert(headers::TUS_MAX_SIZE, max_bytes.into());
    if let Ok(value) = HeaderValue::from_str(&Checksum::ALGORITHMS.join(",")) {
        headers.insert(headers::TUS_CHECKSUM_ALGORITHM, value);
    }
    res
}

/// Announces a file that is to be added to the vault. `Upload-Length` is its length; `Upload-Metadata`
/// may have `filename`, `blake3` (the hash that its bytes must have), `modified_at_ms`, `process` (`false`
/// to leave it unprocessed) and `addition`. Its bytes, or the first of them, may come along.
#[utoipa::path(post, path = "/api/v1/uploads", tag = "upload", params(
    ("tus-resumable" = String, Header, description = "1.0.0"),
    ("upload-length" = i64, Header, description = "How many bytes the file has"),
    ("upload-metadata" = Option<String>, Header, description = "Keys with Base64 values, separated by commas"),
    ("upload-checksum" = Option<String>, Header, description = "Algorithm and Base64 digest of the bytes that come along"),
    ("idempotency-key" = Option<String>, Header, description = "Asking again with the same key makes one upload"),
), request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"), responses(
    (status = 201, description = "The upload: Location is its address, Upload-Expires when it is forgotten; Asset-Id the asset, if every byte came along", headers(("location" = String), ("upload-offset" = i64), ("upload-expires" = String), ("asset-id" = Option<String>))),
    (status = 412, description = "Another version of tus", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 413, description = "It is larger than is taken", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "It cannot be added", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 460, description = "The checksum does not match; the upload is made, and has none of the bytes", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 507, description = "The disk has no room for it", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn create_upload(
    State(library): State<Library>,
    Asker(actor): Asker,
    _: Tus,
    IdempotencyKey(key): IdempotencyKey,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let announced = Announced::parse(&headers)?;
    let brings_bytes = headers::has_body(&headers);
    if brings_bytes {
        headers::check_type(&headers)?;
    }
    let uploads = library.uploads();
    uploads.check_size(announced.size_bytes).await?;
    let once = key.map(|key| {
        let request = (
            &announced.name,
            announced.size_bytes,
            announced.content_hash,
        );
        once(&actor, &key, &request)
    });
    let new = NewUpload {
        name: announced.name,
        size_bytes: i64::try_from(announced.size_bytes).unwrap_or(i64::MAX),
        content_hash: announced.content_hash,
        modified_at_ms: announced.modified_at_ms,
        process: announced.process,
        run: announced.addition,
        expires_at_ms: uploads.expiry_ms(),
    };
    let family = library.family().id;
    let mut upload = library
        .db()
        .create_upload(&actor, family, new, once.as_ref())
        .await?;
    if brings_bytes && upload.received_bytes == 0 {
        let part = Part {
            offset: 0,
            length: headers::body_length(&headers),
            checksum: headers::checksum(&headers)?,
            body,
        };
        upload = uploads.receive(&actor, upload.id, part).await?;
    }
    let mut res = answer(&library, &actor, &upload, StatusCode::CREATED).await?;
    let location = format!("/api/v1/uploads/{}", upload.id);
    if let Ok(value) = HeaderValue::from_str(&location) {
        res.headers_mut().insert(header::LOCATION, value);
    }
    Ok(res)
}

/// How far an upload is, and what it has become.
#[utoipa::path(get, path = "/api/v1/uploads/{id}", tag = "upload", params(("id" = String, Path, description = "The upload", format = "uuid")), responses(
    (status = 200, description = "The upload", body = wire::Upload),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn get_upload(
    State(library): State<Library>,
    Asker(actor): Asker,
    IdPath(id): IdPath<UploadId>,
) -> Result<Json<wire::Upload>, Problem> {
    let upload = library.db().get_upload(&actor, id).await?;
    let may_see = may_see_asset(&library, &actor, &upload).await?;
    Ok(Json(wire::Upload::new(&upload, may_see)))
}

/// Where an upload stands, for clients of tus. One whose bytes are all here is added before this answers.
#[utoipa::path(head, path = "/api/v1/uploads/{id}", tag = "upload", params(
    ("id" = String, Path, description = "The upload", format = "uuid"),
    ("tus-resumable" = String, Header, description = "1.0.0"),
), responses(
    (status = 200, description = "Where to go on", headers(("upload-offset" = i64), ("upload-length" = i64), ("upload-expires" = String), ("asset-id" = Option<String>))),
    (status = 410, description = "It was given up, or its time is over"),
    (status = 423, description = "Somebody else is sending it"),
    (status = "4XX", description = "Refused"),
))]
async fn get_offset(
    State(library): State<Library>,
    Asker(actor): Asker,
    _: Tus,
    IdPath(id): IdPath<UploadId>,
) -> Result<Response, Problem> {
    let upload = library.uploads().look_at(&actor, id).await?;
    let mut res = answer(&library, &actor, &upload, StatusCode::OK).await?;
    res.headers_mut()
        .insert(headers::UPLOAD_LENGTH, HeaderValue::from(upload.size_bytes));
    res.headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(res)
}

/// Sends bytes of a file, from where the upload stands. With the last of them it is added.
#[utoipa::path(patch, path = "/api/v1/uploads/{id}", tag = "upload", params(
    ("id" = String, Path, description = "The upload", format = "uuid"),
    ("tus-resumable" = String, Header, description = "1.0.0"),
    ("upload-offset" = i64, Header, description = "Where these bytes begin"),
    ("upload-checksum" = Option<String>, Header, description = "Algorithm and Base64 digest of these bytes"),
), request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"), responses(
    (status = 204, description = "They are on the disk; Asset-Id is the asset, if these were the last", headers(("upload-offset" = i64), ("upload-expires" = String), ("asset-id" = Option<String>))),
    (status = 409, description = "The upload stands elsewhere", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 410, description = "It was given up, or its time is over", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 412, description = "Another version of tus", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 413, description = "More bytes than were announced", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 415, description = "Not sent as tus sends bytes", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 422, description = "Every byte is here, and they are not those that were promised", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 423, description = "Somebody else is sending it", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 460, description = "The checksum does not match; none of these bytes were taken", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = 507, description = "The disk is full; what was acknowledged is kept", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn send_part(
    State(library): State<Library>,
    Asker(actor): Asker,
    _: Tus,
    IdPath(id): IdPath<UploadId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    receive_part(&library, &actor, id, &headers, body).await
}

/// Gives an upload up: what came of it is removed. What was added stays.
#[utoipa::path(delete, path = "/api/v1/uploads/{id}", tag = "upload", params(
    ("id" = String, Path, description = "The upload", format = "uuid"),
    ("tus-resumable" = String, Header, description = "1.0.0"),
), responses(
    (status = 204, description = "It is gone"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn delete_upload(
    State(library): State<Library>,
    Asker(actor): Asker,
    _: Tus,
    IdPath(id): IdPath<UploadId>,
) -> Result<StatusCode, Problem> {
    library.uploads().give_up(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PATCH` or `DELETE` for clients that cannot send them: `X-HTTP-Method-Override` has the method.
#[utoipa::path(post, path = "/api/v1/uploads/{id}", tag = "upload", params(
    ("id" = String, Path, description = "The upload", format = "uuid"),
    ("x-http-method-override" = String, Header, description = "PATCH or DELETE"),
    ("tus-resumable" = String, Header, description = "1.0.0"),
), request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"), responses(
    (status = 204, description = "As that method answers"),
    (status = 405, description = "It is neither", body = wire::ProblemDocument, content_type = "application/problem+json"),
    (status = "4XX", description = "Refused", body = wire::ProblemDocument, content_type = "application/problem+json"),
))]
async fn send_overridden(
    State(library): State<Library>,
    Asker(actor): Asker,
    _: Tus,
    IdPath(id): IdPath<UploadId>,
    req: Request,
) -> Result<Response, Problem> {
    let (parts, body) = req.into_parts();
    match headers::overriding(&parts.headers)? {
        Some(Method::PATCH) => receive_part(&library, &actor, id, &parts.headers, body).await,
        Some(Method::DELETE) => {
            library.uploads().give_up(&actor, id).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ => Err(Problem::new(
            Code::MethodNotAllowed,
            "an upload knows HEAD, GET, PATCH and DELETE",
        )),
    }
}

async fn receive_part(
    library: &Library,
    actor: &Actor,
    id: UploadId,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    headers::check_type(headers)?;
    let part = Part {
        offset: headers::offset(headers)?,
        length: headers::body_length(headers),
        checksum: headers::checksum(headers)?,
        body,
    };
    let offset = part.offset;
    match library.uploads().receive(actor, id, part).await {
        Ok(upload) => answer(library, actor, &upload, StatusCode::NO_CONTENT).await,
        Err(problem) if problem.code() == Code::OffsetConflict => {
            tracing::debug!(upload = %id, offset, "a part begins elsewhere");
            let stands = problem.detail("offset").and_then(serde_json::Value::as_i64);
            let mut res = problem.into_response();
            if let Some(stands) = stands {
                res.headers_mut()
                    .insert(headers::UPLOAD_OFFSET, HeaderValue::from(stands));
            }
            Ok(res)
        }
        Err(problem) => Err(problem),
    }
}

/// An answer that says how far an upload is and what it has become.
async fn answer(
    library: &Library,
    actor: &Actor,
    upload: &Upload,
    status: StatusCode,
) -> Result<Response, Problem> {
    let mut res = status.into_response();
    headers::describe(res.headers_mut(), upload);
    if let UploadState::Done { asset, .. } = upload.state
        && may_see_asset(library, actor, upload).await?
        && let Ok(value) = HeaderValue::from_str(&asset.to_string())
    {
        res.headers_mut().insert(ASSET_ID, value);
    }
    Ok(res)
}

/// Whether the actor may see what an upload has become: what is kept from somebody is so also when they
/// hand in the same file.
async fn may_see_asset(library: &Library, actor: &Actor, upload: &Upload) -> Result<bool, Problem> {
    let UploadState::Done { asset, .. } = upload.state else {
        return Ok(false);
    };
    match library.db().get_asset(actor, asset).await {
        Ok(_) => Ok(true),
        Err(DbError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
