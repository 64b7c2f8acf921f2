//! Files and folders made of blocks, as Kubo makes them.

use std::io::{self, Read};

use cid::Cid;

use super::{
    block::Block,
    node::{Link, encode_file, encode_folder},
};

/// How large a folder may become: a larger one would have to be spread over several nodes, which is not done here.
pub const FOLDER_BYTES: usize = 256 * 1024;

/// How files are cut into leaves and put together. Another layout gives the same file another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// What `ipfs add --cid-version=1 --raw-leaves` does: leaves of 256 KiB, 174 links.
    #[default]
    Kubo,
    /// The profile `unixfs-v1-2025` of IPIP-499: leaves of 1 MiB, 1024 links.
    Profile2025,
}

impl Layout {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Kubo, Self::Profile2025];

    /// The word in the configuration and the catalogue.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kubo => "kubo",
            Self::Profile2025 => "unixfs-v1-2025",
        }
    }

    /// The layout that a word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// How long a leaf is.
    const fn chunk_bytes(self) -> usize {
        match self {
            Self::Kubo => 256 * 1024,
            Self::Profile2025 => 1024 * 1024,
        }
    }

    /// How many links a node of a file has at most.
    const fn links(self) -> usize {
        match self {
            Self::Kubo => 174,
            Self::Profile2025 => 1024,
        }
    }
}

/// A file or a folder whose blocks were given away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Its name.
    pub cid: Cid,
    /// How many bytes all its blocks have.
    pub dag_bytes: u64,
    /// How many bytes it has itself; of a folder, all that is in it.
    pub file_bytes: u64,
}

/// Makes a file of bytes that come piece by piece. It holds one leaf, and the links of one node for each level of the tree.
#[derive(Debug)]
pub struct FileBuilder {
    layout: Layout,
    held: Vec<u8>,
    /// What has no parent yet, the leaves first.
    levels: Vec<Vec<Made>>,
}

impl FileBuilder {
    /// Put together like this.
    #[must_use]
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            held: Vec::new(),
            levels: vec![Vec::new()],
        }
    }

    /// Takes the next bytes, and gives away the blocks that they fill.
    ///
    /// # Errors
    /// What `put` says.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        put: &mut dyn FnMut(Block) -> io::Result<()>,
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = self.layout.chunk_bytes() - self.held.len();
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.held.extend_from_slice(now);
            bytes = rest;
            if self.held.len() == self.layout.chunk_bytes() {
                self.put_leaf(put)?;
            }
        }
        Ok(())
    }

    /// Gives away the rest, and tells what was made.
    ///
    /// # Errors
    /// What `put` says.
    pub fn finish(mut self, put: &mut dyn FnMut(Block) -> io::Result<()>) -> io::Result<Made> {
        let is_empty = self.levels.iter().all(Vec::is_empty);
        if is_empty || !self.held.is_empty() {
            self.put_leaf(put)?;
        }
        let mut level = 0;
        loop {
            let is_top = level + 1 == self.levels.len();
            if let (true, [root]) = (is_top, self.levels[level].as_slice()) {
                return Ok(*root);
            }
            self.put_parent(level, put)?;
            level += 1;
        }
    }

    fn put_leaf(&mut self, put: &mut dyn FnMut(Block) -> io::Result<()>) -> io::Result<()> {
        let leaf = Block::raw(std::mem::take(&mut self.held));
        let length = leaf.bytes.len() as u64;
        let made = Made {
            cid: leaf.cid,
            dag_bytes: length,
            file_bytes: length,
        };
        put(leaf)?;
        self.add(0, made, put)
    }

    fn add(
        &mut self,
        level: usize,
        made: Made,
        put: &mut dyn FnMut(Block) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.levels[level].len() == self.layout.links() {
            self.put_parent(level, put)?;
        }
        self.levels[level].push(made);
        Ok(())
    }

    /// Makes a node of what is in a level, and puts it into the one above.
    fn put_parent(
        &mut self,
        level: usize,
        put: &mut dyn FnMut(Block) -> io::Result<()>,
    ) -> io::Result<()> {
        let children = std::mem::take(&mut self.levels[level]);
        let links: Vec<Link> = children
            .iter()
            .map(|child| link(String::new(), child))
            .collect();
        let lengths: Vec<u64> = children.iter().map(|child| child.file_bytes).collect();
        let node = Block::node(encode_file(&links, &lengths));
        let made = sum(&node, &children);
        put(node)?;
        if self.levels.len() == level + 1 {
            self.levels.push(Vec::new());
        }
        self.add(level + 1, made, put)
    }
}

/// Makes a file of all that a reader has.
///
/// # Errors
/// What the reader and `put` say.
pub fn add_file(
    mut bytes: impl Read,
    layout: Layout,
    put: &mut dyn FnMut(Block) -> io::Result<()>,
) -> io::Result<Made> {
    let mut builder = FileBuilder::new(layout);
    let mut piece = vec![0; 64 * 1024];
    loop {
        match bytes.read(&mut piece) {
            Ok(0) => return builder.finish(put),
            Ok(length) => builder.push(&piece[..length], put)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes a folder of what was made before, each with its name.
///
/// # Errors
/// What `put` says; `InvalidInput` when so much is in it that it would have to be spread over several nodes.
pub fn add_folder(
    mut entries: Vec<(String, Made)>,
    put: &mut dyn FnMut(Block) -> io::Result<()>,
) -> io::Result<Made> {
    entries.sort_by(|(one, _), (other, _)| one.as_bytes().cmp(other.as_bytes()));
    // What Kubo estimates a folder at: beyond that it spreads it.
    let estimated: usize = entries
        .iter()
        .map(|(name, made)| name.len() + made.cid.encoded_len())
        .sum();
    if estimated >= FOLDER_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} names are too many for one folder", entries.len()),
        ));
    }
    let children: Vec<Made> = entries.iter().map(|(_, made)| *made).collect();
    let links: Vec<Link> = entries
        .into_iter()
        .map(|(name, made)| link(name, &made))
        .collect();
    let node = Block::node(encode_folder(&links));
    let made = sum(&node, &children);
    put(node)?;
    Ok(made)
}

fn link(name: String, made: &Made) -> Link {
    Link {
        cid: made.cid,
        name,
        dag_bytes: made.dag_bytes,
    }
}

fn sum(node: &Block, children: &[Made]) -> Made {
    Made {
        cid: node.cid,
        dag_bytes: node.bytes.len() as u64
            + children.iter().map(|child| child.dag_bytes).sum::<u64>(),
        file_bytes: children.iter().map(|child| child.file_bytes).sum(),
    }
}
