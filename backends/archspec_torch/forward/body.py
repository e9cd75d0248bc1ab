"""The statements of `forward` for one unit in one mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archspec.graph.codegen.conditions import ALWAYS, NEVER, Condition, given, only_flag
from archspec.graph.codegen.demand import Demand, dropping
from archspec.graph.codegen.draws import draw_name
from archspec.graph.codegen.interface import ports_of
from archspec.graph.model import Graph, Instance, Node, Port
from archspec.types.dim import Dim
from archspec_torch.code.conditions import condition_text
from archspec_torch.code.names import attribute, identifier, python_names
from archspec_torch.code.pieces import Code, Hole, call, code, element, keyword
from archspec_torch.code.text import flat
from archspec_torch.forward.function import Function
from archspec_torch.forward.signature import return_code, returns_differ
from archspec_torch.forward.steps import Step, Variables, plan_steps
from archspec_torch.planning.layout import Layout, Plan
from archspec_torch.planning.tree import sequences
from archspec_torch.prelude import helper_names

DROP_HELPERS = ("survivors", "join")


@dataclass
class Body:
    """What was written: the function, its arguments for draws, the helpers that it uses."""

    function: Function
    draws: dict[str, str] = field(default_factory=dict)
    helpers: set[str] = field(default_factory=set)


def like_name(layout: Layout) -> str:
    """Name of the empty buffer that knows the floating type."""
    return python_names(layout.tree.children).fresh("like")


def write_body(layout: Layout, known: Plan, training: bool) -> Body:
    """Write the statements of a unit in one mode."""
    return _Writer(layout, known, training).write()


class _Writer:
    def __init__(self, layout: Layout, known: Plan, training: bool) -> None:
        self.layout, self.known, self.training = layout, known, training
        self.graph: Graph = layout.unit.graph(training)
        self.demand: Demand = known.demands.of(layout.unit, self.graph)
        own = layout.locals[training]
        told = {own.extra_name(symbol) for symbol in known.symbols}  # which a caller may pass
        names = python_names(
            (*own.known, *told, *self.demand.flags, *layout.records, *helper_names())
        )
        self.draws = {name: names.fresh(identifier(name, "draw")) for name in layout.draws}
        self.arguments = [names.fresh(item.name) for item in layout.inputs]
        typed = [
            (name, item.type_in(training))
            for name, item in zip(self.arguments, layout.inputs, strict=True)
        ]
        self.function = Function(
            own, names, typed, not layout.is_function, like=f"self.{like_name(layout)}"
        )
        self.body = Body(self.function, {} if layout.root else self.draws)
        self.branches = {leaf.path: leaf for leaf in layout.tree.leaves()}
        self.sequences = sequences(layout.tree, self.graph)
        self.gated_adds = {gate.add: node for node, gate in self.demand.gates.items()}
        self.each = self._each_groups()
        self.steps = plan_steps(self.graph, self.demand, self.sequences, self.each)
        self.variables = Variables(self.graph, self.steps, names)
        self.narrowed: set[str] = set()
        self.renamed: list[Port] = []

    # ------------------------------------------------------------------ the whole

    def write(self) -> Body:
        self._bind_inputs()
        if self.layout.root:
            self._sample_draws()
        self._sample_masks()
        for condition, steps in self._segments():
            self._segment(condition, steps)
        self._return()
        return self.body

    def _bind_inputs(self) -> None:
        for name, item in zip(self.arguments, self.layout.inputs, strict=True):
            node = item.training if self.training else item.inference
            if item.optional and node is not None:
                self.function.add(code(f"assert {name} is not None"))
            if node is not None:
                self.variables.bind(Port(node.id), name)

    def _sample_draws(self) -> None:
        for name, variable in self.draws.items():
            policy = self.known.draws.declared.get(name)
            share = {"local": 0.0, "global": 1.0}.get(policy.policy if policy else "mixed")
            if share is None:
                share = policy.ratio if policy else 0.5
            self.body.helpers.add("sample_column")
            count = Hole(self.known.draws.columns[name], "columns")
            share_hole = Hole(float(share), "global_share")
            value = call("sample_column", count, share_hole, self.function.training())
            self.function.add(code(variable, " = ", value))

    def _sample_masks(self) -> None:
        for node in self.graph.nodes:
            join = dropping(node)
            if join is None or self.demand.nodes[node.id] == NEVER:
                continue
            self.body.helpers.update(DROP_HELPERS)
            count = len(node.inputs)
            name = draw_name(node)
            column, first = "-1", 0
            if name:
                column, first = self.draws[name], self.known.draws.columns[name] - count
            value = call(
                "survivors",
                str(count),
                Hole(join.drop, "drop"),
                column,
                Hole(first, "first_column"),
                self.function.training(),
            )
            self.function.add(code(self.demand.masks[node.id], " = ", value))
        for gate_id, gate in self.demand.gates.items():
            if self.demand.nodes[gate_id] != NEVER:
                self.body.helpers.update(("kept", "add_branch"))
                p = Hole(gate.p, "p")
                value = call("kept", p, self.function.training())
                self.function.add(code(gate.flag, " = ", value))
        for name, condition in self.demand.named:
            self.function.add(code(f"{name} = {condition_text(condition)}"))

    # ------------------------------------------------------------------ guarded segments

    def _segments(self) -> list[tuple[Condition, list[Step]]]:
        found: list[tuple[Condition, list[Step]]] = []
        for step in self.steps:
            if found and found[-1][0] == step.condition:
                found[-1][1].append(step)
            else:
                found.append((step.condition, [step]))
        return found

    def _segment(self, condition: Condition, steps: Sequence[Step]) -> None:
        if condition == ALWAYS:
            for step in steps:
                self._step(step)
            return
        for step in steps:
            self._declare([port for port in step.outputs if self.variables.escapes(port)], step)
        self.function.add(code(f"if {condition_text(condition)}:"))
        self.function.indent += 4
        before = set(self.narrowed)
        self.renamed = []
        for step in steps:
            self._step(step)
        self.narrowed = before
        for port in self.renamed:
            self.variables.forget(port)
        self.function.indent -= 4

    def _declare(self, escaping: Sequence[Port], step: Step) -> None:
        """Variables for what is made under a guard and read outside."""
        if escaping and self._is_list(step.node):
            name = self.variables.declare_list(step.node)
            empty = ", ".join(["None"] * len(step.node.types))
            self.function.add(code(f"{name}: List[Optional[Tensor]] = [{empty}]"))
            return
        for port in escaping:
            name = self.variables.declare(port)
            self.function.add(code(f"{name}: Optional[Tensor] = None"))

    def _is_list(self, node: Node) -> bool:
        if node.callee is None or node.instance is None:
            return False
        return self.known.of(self.layout.unit.callee(node.instance)).needs

    def _read(self, port: Port) -> str:
        """Code of a value that is there: an optional one is asserted first."""
        name = self.variables.text(port)
        if not self.variables.optional(port):
            return name
        if "[" in name:  # an element of a list cannot be narrowed
            name = self.variables.rename(port)
            self.renamed.append(port)
            self.function.add(code(f"{name} = {self.variables.element(port)}"))
        if name not in self.narrowed:
            self.function.add(code(f"assert {name} is not None"))
            self.narrowed.add(name)
        return name

    # ------------------------------------------------------------------ one statement

    def _step(self, step: Step) -> None:
        node = step.node
        if step.branch is not None:
            source = call(step.branch.access, *(self._read(port) for port in node.inputs))
            self._assign(step, source)
        elif node.callee is not None:
            self._call(step)
        elif node.id in self.demand.masks:
            self._assign(step, self._join(node))
        elif node.id in self.demand.gates:
            self.variables.alias(Port(node.id), node.inputs[0])
        elif node.id in self.gated_adds:
            self._assign(step, self._add_branch(node))
        else:
            self._op(step)

    def _add_branch(self, node: Node) -> Code:
        """A sum with a branch that may not have been computed."""
        gated = self.gated_adds[node.id]
        gate = self.demand.gates[gated]
        branch = self.graph.node(gated).inputs[0]
        other = node.inputs[1 - gate.index]
        p = Hole(gate.p, "p")
        read, mode = self.variables.text(branch), self.function.training()
        scaled = keyword("in_training", gate.in_training, True)
        return call("add_branch", self._read(other), read, p, mode, scaled)

    def _op(self, step: Step) -> None:
        node, instance = step.node, step.node.instance
        assert instance is not None
        lowered = self.layout.at(self.graph, node)
        self.body.helpers.update(lowered.helpers)
        self.function.accessors = self._accessors(instance)
        self.function.passed = {
            region.name: self._passed(self.known.of(self.layout.unit.callee(instance, region)))
            for region in instance.regions
        }
        if lowered.raw:
            self.variables.bind(Port(node.id), self.function.module())
            return
        inputs = [self._read(port) for port in node.inputs]
        if lowered.apply is not None:
            source = lowered.apply(inputs, self.function)
        else:
            source = call(self.function.module(), *inputs)
        if self._is_alias(step, source, inputs):
            self.variables.alias(Port(node.id), node.inputs[inputs.index(flat(source))])
        else:
            self._assign(step, source)

    def _is_alias(self, step: Step, source: Code, inputs: list[str]) -> bool:
        """Whether the result is an input itself, and no other name must have it."""
        port = Port(step.node.id)
        same = len(source) == 1 and source[0] in inputs and len(step.node.types) == 1
        return same and not self.variables.declared(port) and not step.node.name

    def _accessors(self, instance: Instance) -> dict[str, str]:
        leaf = self.branches.get(instance.key)
        own = leaf.access if leaf is not None else ""
        found = {"": own}
        for region in instance.regions:
            base = own
            for component in region.key.split(".") if region.key else ():
                base = attribute(base, component)
            found[region.name] = base
        return found

    def _call(self, step: Step) -> None:
        node, instance = step.node, step.node.instance
        assert instance is not None
        callee = self.known.of(self.layout.unit.callee(instance))
        arguments = self._call_inputs(callee, node)
        if callee.needs:
            arguments.append(code(self._needs_of(node)))
        arguments += self._passed(callee)
        source = call(self.branches[instance.key].access, *arguments)
        if returns_differ(callee):
            self._take_results(step, source)
        else:
            self._assign(step, source, is_list=callee.needs)

    def _passed(self, callee: Layout) -> list[Code]:
        """Draws that a callee shares, sizes that its inputs do not tell, and which use it is."""
        draws = [code(self.draws[name]) for name in callee.draws]
        sizes = [self.function.size(Dim.symbol(name)) for name in callee.extra]
        return [*draws, *sizes, *(code(Hole(item.value, item.name)) for item in callee.told)]

    def _take_results(self, step: Step, source: Code) -> None:
        """Assign what is one tensor in one mode and a tuple in the other."""
        comment = self.function.comment(step.last.types)
        first, single = step.outputs[0], len(step.outputs) == 1
        if single and not self.variables.declared(first):
            found = self.variables.declare(first, optional=False)
        else:
            found = self.function.names.fresh("found")
        self.function.add(code(found, " = ", source), comment)
        self.function.add(code(f"assert isinstance({found}, {'Tensor' if single else 'tuple'})"))
        if not single or self.variables.text(first) != found:
            self._assign(step, code(found))

    def _call_inputs(self, callee: Layout, node: Node) -> list[Code]:
        ports = iter(node.inputs)
        arguments = []
        for item in callee.inputs:
            present = item.training if self.training else item.inference
            arguments.append(code(self._read(next(ports)) if present is not None else "None"))
        return arguments

    def _needs_of(self, node: Node) -> str:
        """The flags for a callee, a mask itself where it is just that; what is unread is wanted."""
        own = self.demand.nodes[node.id]
        wanted = (self.demand.ports[port] for port in ports_of(node))
        conditions = [given(own if item == NEVER else item, own) for item in wanted]
        flags = [only_flag(condition) for condition in conditions]
        names = {flag[0] for flag in flags if flag is not None}
        if None not in flags and len(names) == 1:
            (name,) = names
            whole = [flag[1] for flag in flags if flag is not None] == [*range(len(flags))]
            if whole and self.demand.sizes.get(name) == len(flags):
                return name
        return (
            "[" + ", ".join("True" if c == ALWAYS else condition_text(c) for c in conditions) + "]"
        )

    def _each_groups(self) -> dict[int, tuple[Node, ...]]:
        """Joins whose inputs are one stateless op on every output of one call."""
        readers, results = self.graph.consumers, set(self.graph.output_ports)
        found: dict[int, tuple[Node, ...]] = {}
        for join in self.graph.nodes:
            if join.id not in self.demand.masks:
                continue
            nodes = tuple(self.graph.node(port.node) for port in join.inputs)
            first = nodes[0]
            if first.op is None or len(first.inputs) != 1 or len(set(nodes)) < 2:
                continue
            source = self.graph.node(first.inputs[0].node)
            ports = [port for node in nodes for port in node.inputs]
            kinds = {(node.op, *map(self.graph.type_of, node.inputs)) for node in nodes}
            same = len(kinds) == 1 and not any(map(self._owns, nodes))
            made = [Port(node.id) for node in nodes]
            alone = all(len(readers.get(port, ())) == 1 and port not in results for port in made)
            if same and alone and self._is_list(source) and ports == ports_of(source):
                found[join.id] = nodes
        return found

    def _owns(self, node: Node) -> bool:
        lowered = self.layout.at(self.graph, node)
        return (
            lowered.apply is None
            or lowered.raw
            or (node.instance is not None and node.instance.key in self.branches)
        )

    def _each(self, nodes: tuple[Node, ...]) -> str:
        """`for branch in columns: pooled.append(...)`; the name of the list."""
        function, first = self.function, nodes[0]
        lowered = self.layout.at(self.graph, first)
        self.body.helpers.update(lowered.helpers)
        source = self.variables.list_name(first.inputs[0].node)
        result, branch = function.names.fresh("branches"), function.names.fresh("branch")
        function.add(code(f"{result}: List[Optional[Tensor]] = []"))
        function.add(code(f"for {branch} in {source}:"))
        function.indent += 4
        assert lowered.apply is not None
        value = lowered.apply([branch], function)
        kept = call(f"{result}.append", code(value, f" if {branch} is not None else None"))
        function.add(kept, function.comment(first.types))
        function.indent -= 4
        return result

    def _join(self, node: Node) -> Code:
        mask = self.demand.masks[node.id]
        if node.id in self.each:
            return call("join", self._each(self.each[node.id]), mask)
        source = node.inputs[0].node
        whole = self.variables.list_name(source)
        if whole and [*node.inputs] == ports_of(self.graph.node(source)):
            return call("join", whole, mask)
        items = ", ".join(self.variables.text(port) for port in node.inputs)
        name = self.function.names.fresh("branches")
        self.function.add(code(f"{name}: List[Optional[Tensor]] = [{items}]"))
        return call("join", name, mask)

    def _assign(self, step: Step, source: Code, is_list: bool = False) -> None:
        comment = self.function.comment(step.last.types)
        if is_list:
            name = self.variables.assign_list(step.node)
            self.function.add(code(name, " = ", source), comment)
            return
        targets, take = self.variables.assign(step)
        if take is not None:
            source = element(source, take)
            comment = self.function.comment(step.last.types[take : take + 1])
        self.function.add(code(targets, " = ", source) if targets else source, comment)

    def _return(self) -> None:
        self.function.add(code("return ", return_code(self.layout, self.training, self._result)))

    def _result(self, port: Port) -> str:
        if self.layout.needs:
            return self.variables.text(port)
        return self._read(port)
