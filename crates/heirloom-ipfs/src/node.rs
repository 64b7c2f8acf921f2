//! Nodes: dag-pb with `UnixFS` in it, as they are written and read.
//!
//! Both are a handful of fields of protobuf. A node is written with its links before its data, as dag-pb wants it.

use cid::Cid;

/// A node with links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Bytes that lie in the node itself.
    pub(super) inline: Vec<u8>,
    /// How long the file is, as the node says.
    pub(super) file_bytes: Option<u64>,
    pub(super) links: Vec<Link>,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Raw,
    Folder,
    File,
    /// A folder whose names are spread over several nodes.
    Shard,
    /// Something that is neither a file nor a folder, such as a link.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) cid: Cid,
    pub(super) name: String,
    /// How many bytes all blocks below it have, itself included.
    pub(super) dag_bytes: u64,
}

const FOLDER: u64 = 1;
const FILE: u64 = 2;

/// A node of a file: its children in order, each with how much of the file it is.
pub(super) fn encode_file(links: &[Link], lengths: &[u64]) -> Vec<u8> {
    let mut data = vec![0x08];
    put_varint(FILE, &mut data);
    data.push(0x18);
    put_varint(lengths.iter().sum(), &mut data);
    for length in lengths {
        data.push(0x20);
        put_varint(*length, &mut data);
    }
    encode(links, &data)
}

/// A folder.
pub(super) fn encode_folder(links: &[Link]) -> Vec<u8> {
    let mut data = vec![0x08];
    put_varint(FOLDER, &mut data);
    encode(links, &data)
}

fn encode(links: &[Link], data: &[u8]) -> Vec<u8> {
    let mut node = Vec::new();
    for link in links {
        let mut one = Vec::new();
        put_bytes(0x0a, &link.cid.to_bytes(), &mut one);
        put_bytes(0x12, link.name.as_bytes(), &mut one);
        one.push(0x18);
        put_varint(link.dag_bytes, &mut one);
        put_bytes(0x12, &one, &mut node);
    }
    put_bytes(0x0a, data, &mut node);
    node
}

fn put_bytes(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

pub(super) fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads a node.
///
/// # Errors
/// What is the matter with it.
pub(super) fn decode(bytes: &[u8]) -> Result<Node, &'static str> {
    const BAD: &str = "it is no node";
    let (mut links, mut data) = (Vec::new(), None);
    let mut rest = bytes;
    while !rest.is_empty() {
        match take_field(&mut rest).ok_or(BAD)? {
            (2, Field::Bytes(link)) => links.push(decode_link(link).ok_or("a link in it is none")?),
            (1, Field::Bytes(bytes)) if data.is_none() => data = Some(bytes),
            _ => return Err(BAD),
        }
    }
    let (mut kind, mut inline, mut file_bytes) = (None, Vec::new(), None);
    let mut rest = data.ok_or("it says nothing of what it is")?;
    while !rest.is_empty() {
        match take_field(&mut rest).ok_or(BAD)? {
            (1, Field::Number(number)) => kind = Some(number),
            (2, Field::Bytes(bytes)) => inline = bytes.to_vec(),
            (3, Field::Number(number)) => file_bytes = Some(number),
            // Lengths of children, what makes a shard, and times and permissions that others note.
            _ => {}
        }
    }
    let kind = match kind.ok_or("it says nothing of what it is")? {
        0 => Kind::Raw,
        FOLDER => Kind::Folder,
        FILE => Kind::File,
        5 => Kind::Shard,
        _ => Kind::Other,
    };
    Ok(Node {
        kind,
        inline,
        file_bytes,
        links,
    })
}

fn decode_link(mut rest: &[u8]) -> Option<Link> {
    let (mut cid, mut name, mut dag_bytes) = (None, String::new(), 0);
    while !rest.is_empty() {
        match take_field(&mut rest)? {
            (1, Field::Bytes(mut bytes)) => {
                cid = Some(Cid::read_bytes(&mut bytes).ok()?);
                bytes.is_empty().then_some(())?;
            }
            (2, Field::Bytes(bytes)) => name = String::from_utf8(bytes.to_vec()).ok()?,
            (3, Field::Number(number)) => dag_bytes = number,
            _ => return None,
        }
    }
    cid.map(|cid| Link {
        cid,
        name,
        dag_bytes,
    })
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn take_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let tag = take_varint(rest)?;
    let field = match tag & 7 {
        0 => Field::Number(take_varint(rest)?),
        2 => {
            let length = usize::try_from(take_varint(rest)?).ok()?;
            let (bytes, after) = rest.split_at_checked(length)?;
            *rest = after;
            Field::Bytes(bytes)
        }
        _ => return None,
    };
    Some((tag >> 3, field))
}

pub(super) fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for at in 0..10 {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        let bits = u64::from(byte & 0x7f);
        if at == 9 && bits > 1 {
            return None;
        }
        number |= bits << (7 * at);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
