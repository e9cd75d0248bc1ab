"""Sequences of equal parts, and structural equality of blocks."""

from archspec.analysis.repeats import repeats
from archspec.analysis.structure import structure_classes
from archspec.graph.model import Instance, Iteration
from archspec.ops.random import Join
from archspec.source import Source, Span
from tests.building import Build, Layer, Pointwise, columns, fractal, tensor


def runs(graph):
    found = repeats(graph, structure_classes(graph).__getitem__)
    return [(run.nodes, run.count) for run in found]


def test_equal_layers_fold_except_a_first_wider_one():
    build = Build()
    x = build.input(tensor(1, 3, 8, 8))
    for _ in range(6):
        x = build.op(Layer(width=4), x)
    assert runs(build.graph(x)) == [((2,), 5)]


def test_a_residual_piece_folds_with_its_shortcut():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    for _ in range(3):
        deep = build.op(Pointwise(), build.op(Layer(width=4), x))
        x = build.op(Join(), x, deep)
    assert runs(build.graph(x)) == [((1, 2, 3), 3)]


def test_dense_connections_do_not_fold():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    state = [x]
    for _ in range(4):
        state.append(build.op(Join(), *state))
    assert runs(build.graph(state[-1])) == []


def test_a_run_ends_at_a_node_with_another_reader():
    build = Build()
    ports = [build.input(tensor(1, 4, 8, 8))]
    for _ in range(6):
        ports.append(build.op(Layer(width=4), ports[-1]))
    assert runs(build.graph(ports[3], ports[-1])) == [((1,), 3), ((4,), 3)]


def test_parallel_branches_do_not_fold():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    assert runs(build.graph(*(build.op(Layer(width=4), x) for _ in range(3)))) == []


def test_every_segment_may_read_data_from_before_the_run():
    build = Build()
    mask, x = build.input(tensor(1, 4, 8, 8)), build.input(tensor(1, 4, 8, 8))
    for _ in range(4):
        x = build.op(Join(), x, mask)
    assert runs(build.graph(x)) == [((2,), 4)]


def test_shared_instances_do_not_mix_with_others():
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    shared = Instance("f", op=Layer(width=4))
    for _ in range(3):
        x = build.one(shared, x)
    for _ in range(3):
        x = build.op(Layer(width=4), x)
    graph = build.graph(x)
    found = repeats(graph, structure_classes(graph).__getitem__)
    assert [(run.nodes, run.count, run.shared) for run in found] == [
        ((1,), 3, True),
        ((4,), 3, False),
    ]


def test_iterations_of_a_for_are_not_split():
    loop = Span(Source("a.arch", "for"), 0, 3)
    build = Build()
    x = build.input(tensor(1, 4, 8, 8))
    for index in range(4):
        for op in (Pointwise(), Layer(width=8 if index == 0 else 4), Pointwise()):
            x = build.op(op, x)
            build.nodes[-1].iterations = (Iteration(loop, index),)
    # The first iteration differs: the run begins with the third node, not with the last one of it.
    assert runs(build.graph(x)) == [((7, 8, 9), 2)]


def test_blocks_that_differ_in_labels_only_are_equal():
    def named(key):
        build = Build("unit")
        return build.graph(build.op(Layer(width=4), build.input(tensor(1, 4, 8, 8)), key=key))

    build = Build()
    first, second = named("a"), named("b")
    (x,) = build.call(first, build.input(tensor(1, 4, 8, 8)))
    (x,) = build.call(second, x)
    graph = build.graph(x)
    classes = structure_classes(graph)
    assert classes[first] == classes[second] != classes[graph]
    assert runs(graph) == [((1,), 2)]


def test_the_two_specialisations_of_a_fractal_differ():
    graph = columns(3, 16, 3)
    classes = structure_classes(graph)
    assert len(set(classes.values())) == len(classes) == 5
    assert runs(fractal(3)) == []
