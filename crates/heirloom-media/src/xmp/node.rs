//! The data model of XMP, read from RDF in each of the forms that programs write.

use crate::xml::Element;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Words.
    Text(String),
    /// Several values; of one text in several languages, the default comes first.
    List(Vec<Node>),
    /// Named values.
    Fields(Vec<(String, Node)>),
}

/// The most values that are read of one packet.
const NODE_LIMIT: usize = 20_000;

impl Node {
    /// The text, or the first text of a list.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(items) => items.first().and_then(Self::text),
            Self::Fields(_) => None,
        }
    }

    /// The texts of a list, or the one text.
    pub(super) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::List(items) => items.iter().filter_map(Self::text).collect(),
            Self::Fields(_) => Vec::new(),
        }
    }

    /// The items of a list; anything else is its own only item.
    pub(super) fn items(&self) -> Vec<&Self> {
        match self {
            Self::List(items) => items.iter().collect(),
            Self::Text(_) | Self::Fields(_) => vec![self],
        }
    }

    /// A named value.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Fields(fields) => fields
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, node)| node),
            Self::Text(_) | Self::List(_) => None,
        }
    }
}

/// The properties of every description in a document.
pub(super) fn properties(root: &Element) -> Vec<(String, Node)> {
    let mut budget = NODE_LIMIT;
    let mut properties = Vec::new();
    root.visit(&mut |element| {
        if element.name != "rdf:RDF" {
            return;
        }
        for description in element
            .children
            .iter()
            .filter(|c| c.name == "rdf:Description")
        {
            properties.extend(fields(description, &mut budget));
        }
    });
    properties
}

/// Named values in the attributes and children of an element.
fn fields(element: &Element, budget: &mut usize) -> Vec<(String, Node)> {
    let mut fields = Vec::new();
    for (name, value) in &element.attributes {
        if !name.starts_with("rdf:") && !name.starts_with("xml:") && spend(budget) {
            fields.push((name.clone(), Node::Text(value.clone())));
        }
    }
    for child in &element.children {
        if !child.name.starts_with("rdf:") && spend(budget) {
            fields.push((child.name.clone(), value(child, budget)));
        }
    }
    fields
}

fn spend(budget: &mut usize) -> bool {
    match budget.checked_sub(1) {
        Some(left) => {
            *budget = left;
            true
        }
        None => false,
    }
}

/// What a property element holds.
fn value(element: &Element, budget: &mut usize) -> Node {
    for child in &element.children {
        match child.name.as_str() {
            "rdf:Bag" | "rdf:Seq" => return list(child, budget),
            "rdf:Alt" => return alternatives(child, budget),
            // A value with qualifiers beside it.
            "rdf:value" => return value(child, budget),
            "rdf:Description" => {
                if let Some(main) = child.child("rdf:value") {
                    return value(main, budget);
                }
                if let Some(main) = child.attribute("rdf:value") {
                    return Node::Text(main.to_owned());
                }
                return Node::Fields(fields(child, budget));
            }
            _ => {}
        }
    }
    if let Some(resource) = element.attribute("rdf:resource") {
        return Node::Text(resource.to_owned());
    }
    if let Some(main) = element.attribute("rdf:value") {
        return Node::Text(main.to_owned());
    }
    let is_resource = element.attribute("rdf:parseType") == Some("Resource");
    let fields = fields(element, budget);
    if fields.is_empty() && !is_resource {
        Node::Text(element.text.trim().to_owned())
    } else {
        Node::Fields(fields)
    }
}

fn list(container: &Element, budget: &mut usize) -> Node {
    let mut items = Vec::new();
    for item in container
        .children
        .iter()
        .filter(|child| child.name == "rdf:li")
    {
        if !spend(budget) {
            break;
        }
        items.push(value(item, budget));
    }
    Node::List(items)
}

/// Languages of one text: the default alone where there is one, else all as alternatives.
fn alternatives(container: &Element, budget: &mut usize) -> Node {
    let items = container
        .children
        .iter()
        .filter(|child| child.name == "rdf:li");
    let default = items
        .clone()
        .find(|item| item.attribute("xml:lang") == Some("x-default"));
    match default.or_else(|| items.clone().next()) {
        Some(item) => Node::List(vec![value(item, budget)]),
        None => Node::List(Vec::new()),
    }
}
