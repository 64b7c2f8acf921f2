//! Networks built step by step for ONNX Runtime.

use ort::{
    editor::{Graph, Model, Node, ONNX_DOMAIN, Opset},
    memory::Allocator,
    operator::Attribute,
    session::{Session, builder::SessionBuilder},
    value::{
        Outlet, PrimitiveTensorElementType, Shape, SymbolicDimensions, Tensor, TensorElementType,
        ValueType,
    },
};

/// Operators that ONNX Runtime has beside those of ONNX.
const MICROSOFT: &str = "com.microsoft";
/// How many weights share a scale.
const BLOCK: usize = 32;

/// A network under construction. What flows in it has names.
pub(crate) struct Net {
    graph: Graph,
    names: usize,
    inputs: Vec<Outlet>,
    outputs: Vec<Outlet>,
}

pub(crate) type Wire = String;

fn outlet(name: &str, ty: TensorElementType, shape: &[i64]) -> Outlet {
    Outlet::new(
        name,
        ValueType::Tensor {
            ty,
            shape: Shape::new(shape.iter().copied()),
            dimension_symbols: SymbolicDimensions::empty(shape.len()),
        },
    )
}

impl Net {
    pub(crate) fn new() -> ort::Result<Self> {
        Ok(Self {
            graph: Graph::new()?,
            names: 0,
            inputs: Vec::new(),
            outputs: Vec::new(),
        })
    }

    /// Something that comes in; -1 for a side whose length differs.
    pub(crate) fn input(&mut self, name: &str, ty: TensorElementType, shape: &[i64]) -> Wire {
        self.inputs.push(outlet(name, ty, shape));
        name.to_owned()
    }

    /// Something that is given out. What is called so already is not copied.
    pub(crate) fn output(&mut self, name: &str, wire: &str, shape: &[i64]) -> ort::Result<()> {
        self.outputs
            .push(outlet(name, TensorElementType::Float32, shape));
        if wire == name {
            return Ok(());
        }
        self.named(name, "Identity", &[wire], [])?;
        Ok(())
    }

    pub(crate) fn constant<T: PrimitiveTensorElementType + Copy + std::fmt::Debug + 'static>(
        &mut self,
        shape: &[usize],
        values: &[T],
    ) -> ort::Result<Wire> {
        let name = self.name();
        let mut tensor = Tensor::<T>::new(&Allocator::default(), shape.to_vec())?;
        tensor.extract_tensor_mut().1.copy_from_slice(values);
        self.graph.add_initializer(&name, tensor, false)?;
        Ok(name)
    }

    pub(crate) fn node<const A: usize>(
        &mut self,
        operator: &str,
        inputs: &[&str],
        attributes: [Attribute; A],
    ) -> ort::Result<Wire> {
        Ok(self
            .nodes(ONNX_DOMAIN, operator, inputs, 1, attributes)?
            .remove(0))
    }

    /// A node whose output has a name of its own.
    pub(crate) fn named<const A: usize>(
        &mut self,
        name: &str,
        operator: &str,
        inputs: &[&str],
        attributes: [Attribute; A],
    ) -> ort::Result<Wire> {
        let node = Node::new(operator, ONNX_DOMAIN, name, inputs, [name], attributes)?;
        self.graph.add_node(node)?;
        Ok(name.to_owned())
    }

    pub(crate) fn nodes<const A: usize>(
        &mut self,
        domain: &str,
        operator: &str,
        inputs: &[&str],
        outputs: usize,
        attributes: [Attribute; A],
    ) -> ort::Result<Vec<Wire>> {
        let outputs: Vec<Wire> = (0..outputs).map(|_| self.name()).collect();
        let name = self.name();
        self.graph.add_node(Node::new(
            operator, domain, name, inputs, &outputs, attributes,
        )?)?;
        Ok(outputs)
    }

    pub(crate) fn add(&mut self, a: &str, b: &str) -> ort::Result<Wire> {
        self.node("Add", &[a, b], [])
    }

    pub(crate) fn transpose(&mut self, wire: &str, order: &[i64]) -> ort::Result<Wire> {
        self.node("Transpose", &[wire], [Attribute::new("perm", order)?])
    }

    pub(crate) fn reshape(&mut self, wire: &str, shape: &[i64]) -> ort::Result<Wire> {
        let shape = self.constant(&[shape.len()], shape)?;
        self.node("Reshape", &[wire, &shape], [])
    }

    /// Weights of `rows` outputs, each of so many inputs: eight bits each, with a scale for each 32 of them. What
    /// comes in is rounded likewise.
    pub(crate) fn linear(
        &mut self,
        wire: &str,
        weights: &[f32],
        rows: usize,
        bias: Option<&[f32]>,
    ) -> ort::Result<Wire> {
        let columns = weights.len() / rows;
        let (mut whole, mut scales) = (
            Vec::with_capacity(weights.len()),
            Vec::with_capacity(weights.len() / BLOCK),
        );
        for block in weights.chunks(BLOCK) {
            let most = block
                .iter()
                .fold(0.0_f32, |most, weight| most.max(weight.abs()));
            let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
            scales.push(scale);
            // Half of one more is rounded by leaving the rest away: what rounds by itself is several times slower.
            let parts = 1.0 / scale;
            whole.extend(block.iter().map(|weight| (weight * parts + 128.5) as u8));
        }
        let whole = self.constant(&[rows, columns / BLOCK, BLOCK], &whole)?;
        let scales = self.constant(&[rows, columns / BLOCK], &scales)?;
        let attributes = [
            Attribute::new("K", columns as i64)?,
            Attribute::new("N", rows as i64)?,
            Attribute::new("bits", 8_i64)?,
            Attribute::new("block_size", BLOCK as i64)?,
            Attribute::new("accuracy_level", 4_i64)?,
        ];
        let product = self
            .nodes(
                MICROSOFT,
                "MatMulNBits",
                &[wire, &whole, &scales],
                1,
                attributes,
            )?
            .remove(0);
        match bias {
            Some(bias) => {
                let bias = self.constant(&[rows], bias)?;
                self.add(&product, &bias)
            }
            None => Ok(product),
        }
    }

    pub(crate) fn norm(&mut self, wire: &str, gamma: &[f32], beta: &[f32]) -> ort::Result<Wire> {
        let gamma = self.constant(&[gamma.len()], gamma)?;
        let beta = self.constant(&[beta.len()], beta)?;
        self.node(
            "LayerNormalization",
            &[wire, &gamma, &beta],
            [
                Attribute::new("axis", -1_i64)?,
                Attribute::new("epsilon", 1e-5_f32)?,
            ],
        )
    }

    pub(crate) fn gelu(&mut self, wire: &str) -> ort::Result<Wire> {
        self.node("Gelu", &[wire], [])
    }

    /// Everything looks at everything.
    pub(crate) fn attend(
        &mut self,
        query: &str,
        key: &str,
        value: &str,
        heads: usize,
    ) -> ort::Result<Wire> {
        Ok(self
            .nodes(
                MICROSOFT,
                "MultiHeadAttention",
                &[query, key, value],
                1,
                [Attribute::new("num_heads", heads as i64)?],
            )?
            .remove(0))
    }

    pub(crate) fn finish(self, builder: &SessionBuilder) -> ort::Result<Session> {
        let Self {
            mut graph,
            inputs,
            outputs,
            ..
        } = self;
        graph.set_inputs(inputs)?;
        graph.set_outputs(outputs)?;
        let mut model = Model::new([Opset::new(ONNX_DOMAIN, 20)?, Opset::new(MICROSOFT, 1)?])?;
        model.set_graph(graph)?;
        model.into_session(builder)
    }

    fn name(&mut self) -> Wire {
        self.names += 1;
        format!("n{}", self.names)
    }
}
