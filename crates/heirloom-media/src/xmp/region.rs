//! Named areas of a picture: whose face is where.

use heirloom_core::claim::ClaimKind;
use serde_json::{Value, json};

use super::{Get, Node, number};
use crate::{notes::Notes, property};

/// The most areas that are read of one picture.
const REGION_LIMIT: usize = 500;

/// Reads the areas of the Metadata Working Group and of Microsoft.
pub(super) fn read(get: &Get<'_>, prefix: &str, raise: f32, out: &mut Notes) {
    let mut regions = working_group(get, prefix, raise, out);
    regions.extend(microsoft(get, prefix, raise, out));
    if !regions.is_empty() {
        out.property(property::REGIONS, Value::Array(regions).to_string());
    }
}

fn working_group(get: &Get<'_>, prefix: &str, raise: f32, out: &mut Notes) -> Vec<Value> {
    let source = format!("{prefix}:mwg-rs:RegionList");
    let list = get("mwg-rs:Regions").and_then(|regions| regions.field("mwg-rs:RegionList"));
    let mut regions = Vec::new();
    for region in list
        .map(Node::items)
        .unwrap_or_default()
        .into_iter()
        .take(REGION_LIMIT)
    {
        let text = |name: &str| region.field(name).and_then(Node::text).unwrap_or_default();
        let name = text("mwg-rs:Name").trim();
        let kind = text("mwg-rs:Type").trim();
        match kind {
            "" | "Face" => out.text(ClaimKind::Person, name, &source, 0.85 + raise),
            "Pet" => out.text(ClaimKind::Tag, name, &source, 0.85 + raise),
            _ => {}
        }
        let area = region.field("mwg-rs:Area");
        let measure = |name: &str| {
            area?
                .field(name)
                .and_then(Node::text)
                .and_then(number)
                .filter(fraction)
        };
        if let (Some(x), Some(y), Some(width), Some(height)) = (
            measure("stArea:x"),
            measure("stArea:y"),
            measure("stArea:w"),
            measure("stArea:h"),
        ) {
            regions.push(json!({
                "name": name, "type": kind, "x": x, "y": y, "width": width, "height": height,
            }));
        }
    }
    regions
}

fn microsoft(get: &Get<'_>, prefix: &str, raise: f32, out: &mut Notes) -> Vec<Value> {
    let source = format!("{prefix}:MP:RegionInfo");
    let list = get("MP:RegionInfo").and_then(|info| info.field("MPRI:Regions"));
    let mut regions = Vec::new();
    for region in list
        .map(Node::items)
        .unwrap_or_default()
        .into_iter()
        .take(REGION_LIMIT)
    {
        let text = |name: &str| region.field(name).and_then(Node::text).unwrap_or_default();
        let name = text("MPReg:PersonDisplayName").trim();
        out.text(ClaimKind::Person, name, &source, 0.85 + raise);
        // Left, top, width, height.
        let sides: Vec<f64> = text("MPReg:Rectangle")
            .split(',')
            .filter_map(number)
            .filter(fraction)
            .collect();
        if let [left, top, width, height] = *sides {
            regions.push(json!({
                "name": name, "type": "Face",
                "x": left + width / 2.0, "y": top + height / 2.0, "width": width, "height": height,
            }));
        }
    }
    regions
}

fn fraction(number: &f64) -> bool {
    (0.0..=1.0).contains(number)
}
