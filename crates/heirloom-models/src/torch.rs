//! Weights as PyTorch saves them, in its form before 1.6: read and never run.
//!
//! Such a file is five pickles one after another, of which the fourth describes the tensors and the fifth names the
//! storages that follow. A pickle is a program. Here it is followed only as far as descriptions of tensors need it;
//! whatever else it wants to call, or does that a list of tensors has no need of, is refused.

use std::{collections::HashMap, rc::Rc};

/// Why a file's tensors cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("it is not what PyTorch writes: {0}")]
pub(crate) struct TorchError(String);

/// A tensor of numbers of 32 bits, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

/// The tensors of a file, by their names.
#[derive(Debug)]
pub(crate) struct Tensors(HashMap<String, Tensor>);

/// What the first pickle of each such file is: 0x1950a86a20f9469cfc6c.
const MAGIC: [u8; 15] = *b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
/// More than the largest models have: what is longer is hostile.
const STEPS: usize = 100_000;
/// How deep things lie in one another.
const DEPTH: usize = 20;

fn refuse<T>(why: impl Into<String>) -> Result<T, TorchError> {
    Err(TorchError(why.into()))
}

impl Tensors {
    /// Reads those that lie in the file under this name, or all where it has nothing else.
    pub(crate) fn read(bytes: &[u8], name: Option<&str>) -> Result<Self, TorchError> {
        if bytes.starts_with(b"PK") {
            return refuse("it is in the form of PyTorch 1.6 and later");
        }
        let Some(rest) = bytes.strip_prefix(&MAGIC) else {
            return refuse("it begins otherwise");
        };
        let mut pickle = Pickle { rest, steps: STEPS };
        pickle.read()?;
        pickle.read()?;
        let main = pickle.read()?;
        let Value::Many(keys, _) = pickle.read()? else {
            return refuse("it does not say where its tensors are");
        };
        let Value::Many(all, _) = main else {
            return refuse("it is no list of tensors");
        };
        let mut kinds = HashMap::new();
        for value in &all {
            value.storages(&mut kinds);
        }
        let mut storages = HashMap::new();
        for key in keys {
            let Value::Text(key) = key else {
                return refuse("a storage has no name");
            };
            let Some(size) = kinds.get(&key) else {
                return refuse("it has a storage that nothing lies in");
            };
            let count = pickle
                .take(8)?
                .first_chunk()
                .map(|n| u64::from_le_bytes(*n));
            let length = count.and_then(|count| usize::try_from(count).ok()?.checked_mul(*size));
            let Some(length) = length else {
                return refuse("a storage has no length");
            };
            storages.insert(key, pickle.take(length)?);
        }
        let found = match name {
            None => &all,
            Some(name) => {
                let mut pairs = all.chunks_exact(2);
                let is_named =
                    |pair: &&[Value]| matches!(&pair[0], Value::Text(text) if **text == *name);
                let Some([_, Value::Many(found, _)]) = pairs.find(is_named) else {
                    return refuse(format!("it has no {name}"));
                };
                found
            }
        };
        let mut tensors = HashMap::new();
        for pair in found.chunks_exact(2) {
            if let [Value::Text(name), Value::Tensor(place)] = pair
                && place.storage.size == 4
            {
                let bytes = storages.get(&place.storage.key).copied();
                tensors.insert(name.to_string(), place.tensor(bytes.unwrap_or_default())?);
            }
        }
        Ok(Self(tensors))
    }

    /// The numbers of a tensor, which is to have this shape.
    pub(crate) fn get(&self, name: &str, shape: &[usize]) -> Result<&[f32], TorchError> {
        let Some(tensor) = self.0.get(name) else {
            return refuse(format!("it has no {name}"));
        };
        if tensor.shape != shape {
            let is = &tensor.shape;
            return refuse(format!("{name} is of shape {is:?} and not {shape:?}"));
        }
        Ok(&tensor.values)
    }
}

/// Where the numbers of tensors lie.
#[derive(Debug, Clone)]
struct Storage {
    key: Rc<str>,
    /// Bytes of a number.
    size: usize,
}

/// Which part of a storage is a tensor.
#[derive(Debug, Clone)]
struct Place {
    storage: Storage,
    offset: usize,
    shape: Vec<usize>,
    /// How far it is in the storage from one number to the next of each side.
    steps: Vec<usize>,
}

impl Place {
    fn tensor(&self, bytes: &[u8]) -> Result<Tensor, TorchError> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let mut sides = self.shape.iter();
        let count = sides.try_fold(1_usize, |all, side| all.checked_mul(*side));
        // Each number of what lies there is used once.
        let count = count.filter(|count| rest.is_empty() && *count <= numbers.len());
        let Some(count) = count else {
            return refuse("a tensor is longer than what it lies in");
        };
        let mut values = Vec::with_capacity(count);
        for at in 0..count {
            let (mut left, mut place) = (at, self.offset);
            for (side, step) in self.shape.iter().zip(&self.steps).rev() {
                place = place.saturating_add((left % side).saturating_mul(*step));
                left /= side;
            }
            match numbers.get(place) {
                Some(number) => values.push(f32::from_le_bytes(*number)),
                None => return refuse("a tensor is longer than what it lies in"),
            }
        }
        Ok(Tensor {
            shape: self.shape.clone(),
            values,
        })
    }
}

/// What a pickle is about. Tuples, lists and dictionaries are many values, the last with names and values in turn.
#[derive(Debug)]
enum Value {
    /// Nothing that matters.
    Nothing,
    Number(i64),
    Text(Rc<str>),
    /// A function or class, by its module and name.
    Name(Rc<str>),
    /// And how deep they lie in one another.
    Many(Vec<Value>, usize),
    Storage(Storage),
    Tensor(Place),
}

impl Value {
    fn many(values: Vec<Self>) -> Result<Self, TorchError> {
        let mut many = Self::Many(Vec::new(), 0);
        many.extend(values)?;
        Ok(many)
    }

    fn extend(&mut self, more: Vec<Self>) -> Result<(), TorchError> {
        let Self::Many(values, depth) = self else {
            return refuse("something is put into what holds nothing");
        };
        for value in more {
            if let Self::Many(_, inner) = &value {
                *depth = (*depth).max(inner + 1);
            }
            values.push(value);
        }
        if *depth > DEPTH {
            refuse("it is too deep")
        } else {
            Ok(())
        }
    }

    /// What may be asked for again: never what could be filled later.
    fn kept(&self) -> Option<Self> {
        match self {
            Self::Number(number) => Some(Self::Number(*number)),
            Self::Text(text) => Some(Self::Text(Rc::clone(text))),
            Self::Name(name) => Some(Self::Name(Rc::clone(name))),
            _ => None,
        }
    }

    fn storages(&self, found: &mut HashMap<Rc<str>, usize>) {
        match self {
            Self::Tensor(place) => {
                found.insert(Rc::clone(&place.storage.key), place.storage.size);
            }
            Self::Many(values, _) => values.iter().for_each(|value| value.storages(found)),
            _ => {}
        }
    }

    fn sizes(&self) -> Option<Vec<usize>> {
        let Self::Many(values, _) = self else {
            return None;
        };
        let size = |value: &Self| match value {
            Self::Number(size) => usize::try_from(*size).ok(),
            _ => None,
        };
        values.iter().map(size).collect()
    }
}

/// Pickles one after another.
struct Pickle<'a> {
    rest: &'a [u8],
    steps: usize,
}

impl<'a> Pickle<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], TorchError> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => refuse("it is cut short"),
        }
    }

    fn number<const N: usize>(&mut self) -> Result<u64, TorchError> {
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(self.take(N)?);
        Ok(u64::from_le_bytes(bytes))
    }

    fn line(&mut self) -> Result<&'a str, TorchError> {
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let line = self.take(end.unwrap_or(self.rest.len()))?;
        self.take(1)?;
        std::str::from_utf8(line).or_else(|_| refuse("a name is no text"))
    }

    /// The next pickle's value.
    fn read(&mut self) -> Result<Value, TorchError> {
        let mut machine = Machine::default();
        loop {
            self.steps = match self.steps.checked_sub(1) {
                Some(left) => left,
                None => return refuse("it is too long"),
            };
            let step = self.take(1)?[0];
            match step {
                b'.' => return machine.pop(),
                // The version, which changes nothing of what is read here.
                0x80 => {
                    self.take(1)?;
                }
                b'}' | b']' | b')' => machine.stack.push(Value::Many(Vec::new(), 0)),
                b'(' => machine.marks.push(machine.stack.len()),
                b'N' | 0x88 | 0x89 => machine.stack.push(Value::Nothing),
                b'G' => {
                    self.take(8)?;
                    machine.stack.push(Value::Nothing);
                }
                0x8a => {
                    let length = self.number::<1>()? as usize;
                    self.take(length)?;
                    machine.stack.push(Value::Nothing);
                }
                b'K' => machine.number(self.number::<1>()? as i64),
                b'M' => machine.number(self.number::<2>()? as i64),
                b'J' => machine.number(i64::from(self.number::<4>()? as u32 as i32)),
                b'X' => {
                    let length = self.number::<4>()? as usize;
                    let Ok(text) = std::str::from_utf8(self.take(length)?) else {
                        return refuse("a name is no text");
                    };
                    machine.stack.push(Value::Text(text.into()));
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    machine
                        .stack
                        .push(Value::Name(format!("{module}.{name}").into()));
                }
                b'q' => machine.keep(self.number::<1>()?),
                b'r' => machine.keep(self.number::<4>()?),
                b'h' => machine.again(self.number::<1>()?)?,
                b'j' => machine.again(self.number::<4>()?)?,
                b't' => {
                    let values = machine.since_mark()?;
                    machine.stack.push(Value::many(values)?);
                }
                0x85..=0x87 => {
                    let from = machine.stack.len().checked_sub(usize::from(step - 0x84));
                    let Some(from) = from else {
                        return refuse("a value is missing");
                    };
                    let values = machine.stack.split_off(from);
                    machine.stack.push(Value::many(values)?);
                }
                b'u' | b'e' => {
                    let values = machine.since_mark()?;
                    machine.last()?.extend(values)?;
                }
                b's' => {
                    let (value, name) = (machine.pop()?, machine.pop()?);
                    machine.last()?.extend(vec![name, value])?;
                }
                b'a' => {
                    let value = machine.pop()?;
                    machine.last()?.extend(vec![value])?;
                }
                // What an object is told of itself: notes of versions.
                b'b' => {
                    machine.pop()?;
                }
                b'Q' => machine.storage()?,
                b'R' => machine.call()?,
                other => return refuse(format!("it has a step {other:#04x}")),
            }
        }
    }
}

/// What a pickle is followed on.
#[derive(Default)]
struct Machine {
    stack: Vec<Value>,
    marks: Vec<usize>,
    kept: HashMap<u64, Value>,
}

impl Machine {
    fn pop(&mut self) -> Result<Value, TorchError> {
        self.stack
            .pop()
            .map_or_else(|| refuse("a value is missing"), Ok)
    }

    fn last(&mut self) -> Result<&mut Value, TorchError> {
        self.stack
            .last_mut()
            .map_or_else(|| refuse("a value is missing"), Ok)
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, TorchError> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => refuse("a mark is missing"),
        }
    }

    fn number(&mut self, number: i64) {
        self.stack.push(Value::Number(number));
    }

    fn keep(&mut self, name: u64) {
        if let Some(value) = self.stack.last().and_then(Value::kept) {
            self.kept.insert(name, value);
        }
    }

    fn again(&mut self, name: u64) -> Result<(), TorchError> {
        let Some(value) = self.kept.get(&name).and_then(Value::kept) else {
            return refuse("it uses something twice that is no name");
        };
        self.stack.push(value);
        Ok(())
    }

    /// `("storage", kind, key, where it was, how long, …)`
    fn storage(&mut self) -> Result<(), TorchError> {
        let value = self.pop()?;
        if let Value::Many(parts, _) = &value
            && let [Value::Text(word), Value::Name(kind), Value::Text(key), ..] = &parts[..]
            && **word == *"storage"
        {
            let size = match &**kind {
                "torch.FloatStorage" => 4,
                "torch.DoubleStorage" | "torch.LongStorage" => 8,
                "torch.HalfStorage" | "torch.BFloat16Storage" | "torch.ShortStorage" => 2,
                "torch.ByteStorage" | "torch.CharStorage" | "torch.BoolStorage" => 1,
                other => return refuse(format!("it has numbers of kind {other}")),
            };
            let key = Rc::clone(key);
            self.stack.push(Value::Storage(Storage { key, size }));
            return Ok(());
        }
        refuse("a storage is described otherwise")
    }

    /// The few calls that make up a tensor.
    fn call(&mut self) -> Result<(), TorchError> {
        let (Value::Many(mut values, _), Value::Name(name)) = (self.pop()?, self.pop()?) else {
            return refuse("it calls what is no name");
        };
        let made = match (&*name, &mut values[..]) {
            ("collections.OrderedDict", []) => Value::Many(Vec::new(), 0),
            ("torch._utils._rebuild_parameter", [tensor @ Value::Tensor(_), ..]) => {
                std::mem::replace(tensor, Value::Nothing)
            }
            (
                "torch._utils._rebuild_tensor_v2",
                [
                    Value::Storage(storage),
                    Value::Number(offset),
                    shape,
                    steps,
                    ..,
                ],
            ) => {
                let place = usize::try_from(*offset).ok().zip(shape.sizes());
                let steps = steps.sizes();
                let Some(((offset, shape), steps)) = place.zip(steps) else {
                    return refuse("a tensor is described otherwise");
                };
                if shape.len() != steps.len() {
                    return refuse("a tensor is described otherwise");
                }
                Value::Tensor(Place {
                    storage: storage.clone(),
                    offset,
                    shape,
                    steps,
                })
            }
            _ => return refuse(format!("it wants to call {name}")),
        };
        self.stack.push(made);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
