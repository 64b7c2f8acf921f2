//! The API's description (OpenAPI), from the code.

use std::collections::HashMap;

use utoipa::openapi::{
    Info, License, OpenApi, RefOr, Tag,
    path::{Operation, ParameterIn, PathItem},
};

/// Adds what no single operation knows.
pub(crate) fn describe(mut openapi: OpenApi) -> OpenApi {
    let mut info = Info::new("Heirloom", "1");
    info.description = Some(
        "A home for a family's photographs, films, voices and letters.\n\n\
         Times are milliseconds since 1970 (UTC) in fields that end in `_ms`; dates are EDTF; paths \
         are path text: UTF-8 with a backslash written `\\\\` and any byte that is not UTF-8 `\\xHH`. \
         Lists are `{items, next}`: `next` is the value of `after` for the page after. \
         What goes wrong is `application/problem+json` with a stable `code`. Changes are compatible: \
         fields and operations are only added."
            .to_owned(),
    );
    let mut license = License::new("MIT OR Apache-2.0");
    license.identifier = Some("MIT OR Apache-2.0".to_owned());
    info.license = Some(license);
    openapi.info = info;
    let tag = |name: &str, about: &str| {
        let mut tag = Tag::new(name);
        tag.description = Some(about.to_owned());
        tag
    };
    openapi.tags = Some(vec![
        tag(
            "asset",
            "Originals: one each, whatever it is called and wherever it lies",
        ),
        tag(
            "claim",
            "Statements about assets; never overwritten, and every one can be taken back",
        ),
        tag(
            "archive",
            "Folders in which originals are; read and never written",
        ),
        tag(
            "collection",
            "Albums that people put together, and searches that are asked anew each time",
        ),
        tag(
            "publication",
            "Collections that are kept on IPFS for good, by choice",
        ),
        tag(
            "face",
            "Faces in pictures, whose they are, and what people say of them",
        ),
        tag(
            "duplicate",
            "Pictures that there are several of, and which of them to keep",
        ),
        tag("artifact", "What was derived from assets"),
        tag(
            "upload",
            "Handing files over to the vault: tus 1.0, resumable, and sent once only",
        ),
        tag("run", "What goes on in the background, such as a scan"),
        tag("search", "Finding assets"),
        tag("machine", "For whoever runs the machine"),
    ]);
    openapi
}

/// Every address with its method. None of them is open to everybody.
pub(crate) fn addresses(openapi: &OpenApi) -> Vec<(String, String, bool)> {
    let mut addresses = Vec::new();
    for (path, item) in &openapi.paths.paths {
        for (method, _) in operations(item) {
            addresses.push((method.to_owned(), path.clone(), false));
        }
    }
    addresses
}

/// The parameters that may stand behind the question mark, by method and path.
pub(crate) type Parameters = HashMap<(String, String), Vec<String>>;

pub(crate) fn parameters(openapi: &OpenApi) -> Parameters {
    let mut known = Parameters::new();
    for (path, item) in &openapi.paths.paths {
        for (method, operation) in operations(item) {
            let parameters = operation.parameters.iter().flatten();
            let names = parameters.filter_map(|parameter| match parameter {
                RefOr::T(it) if matches!(it.parameter_in, ParameterIn::Query) => {
                    Some(it.name.clone())
                }
                _ => None,
            });
            known.insert((method.to_owned(), path.clone()), names.collect());
        }
    }
    known
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
        ("HEAD", &item.head),
        ("OPTIONS", &item.options),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}
