import pytest

from tests.syntax.tree import expression, statement

EXPRESSIONS = [
    # `->` binds loosest, `**` tightest, as in Python
    ("x * a -> f", "{(x * a) -> f}"),
    ("-a ** -b", "Unary(- (a ** Unary(- b)))"),
    ("a ** b ** c", "(a ** (b ** c))"),
    ("a - b - c", "((a - b) - c)"),
    ("a // b * c % d", "(((a // b) * c) % d)"),
    ("2 * -x", "(2 * Unary(- x))"),
    ("a < b + 1", "(a < (b + 1))"),
    ("not a == b and c or d", "((Unary(not (a == b)) and c) or d)"),
    ("not not a", "Unary(not Unary(not a))"),
    # ranges are between comparison and arithmetic
    ("0..n - 1", "Range(0 (n - 1))"),
    ("a + 1..", "Range((a + 1) -)"),
    ("..b", "Range(- b)"),
    ("x[..3]", "Index(x [Range(- 3)])"),
    ("t[1..2]", "Index(t [Range(1 2)])"),
    # choices
    ("if a then b else if c then d else e", "IfValue(a b IfValue(c d e))"),
    ("if a { b }", "IfLayer(a Body([ExprStmt(b)]) -)"),
    (
        "if a { b } else if c { d } else { e }",
        "IfLayer(a Body([ExprStmt(b)]) "
        "Body([ExprStmt(IfLayer(c Body([ExprStmt(d)]) Body([ExprStmt(e)])))]))",
    ),
    # a label binds one stage
    ('l: a -> "m{i + 1}": b', "{l: a -> m<(i + 1)>: b}"),
    ("_: (a -> b)", "_: Group({a -> b})"),
    (
        "net.cls(1, k=2, l: relu)",
        "Call(Attribute(net cls) [Argument(1 -) Argument(2 k) Argument(l: relu -)])",
    ),
    (
        "for i, (n, w) in zip(a, b) { f }",
        "For([i NestedTarget([n w])] Call(zip [Argument(a -) Argument(b -)]) Body([ExprStmt(f)]))",
    ),
    ("[a for a in b if c]", "Comprehension(a [a] b c False)"),
    (
        "(t -> f for i, t in enumerate(x))",
        "Comprehension({t -> f} [i t] Call(enumerate [Argument(x -)]) - True)",
    ),
    # tuples and lists
    ("(a)", "Group(a)"),
    ("(a,)", "TupleExpr([a])"),
    ("()", "TupleExpr([])"),
    ("(...t)", "TupleExpr([Spread(t)])"),
    ("[f, ...g,]", "ListExpr([f Spread(g)])"),
    ("[]", "ListExpr([])"),
    ("{ relu }", "Anonymous(Body([ExprStmt(relu)]))"),
    ("{}", "Anonymous(Body([]))"),
    # literals
    ("1e-3", "0.001"),
    ("12345678901234567890123", "12345678901234567890123"),
    ('"a{{b}} {c}{d + 1}"', '"a{b} <c><(d + 1)>"'),
    # keywords are reserved only where a keyword can appear
    ("block -> input(output) -> where", "{block -> Call(input [Argument(output -)]) -> where}"),
    ("conv(in=3, for=4)", "Call(conv [Argument(3 in) Argument(4 for)])"),
    ("net.if", "Attribute(net if)"),
    ("rule + network * preset", "(rule + (network * preset))"),
]

STATEMENTS = [
    (
        "a, b: [B, N], ...rest = x",
        "Bind([a NameTarget(b TypeExpr(- [DimExpr(B -) DimExpr(N -)])) RestTarget(rest)] x)",
    ),
    (
        "x: f32[B = 1, ...] = y",
        "Bind([NameTarget(x TypeExpr(f32 [DimExpr(B 1) DimExpr(... -)]))] y)",
    ),
    ("(a, b), c = x", "Bind([NestedTarget([a b]) c] x)"),
    ("...m = x", "Bind([RestTarget(m)] x)"),
    ("s: f32[] = x", "Bind([NameTarget(s TypeExpr(f32 []))] x)"),
    ("x: [f, g] -> concat", "ExprStmt({x: ListExpr([f g]) -> concat})"),
    (
        "input x: [B, C], y, ...z where B > 1, C % 2 == 0 when training",
        "Input([InputItem(x TypeExpr(- [DimExpr(B -) DimExpr(C -)]) False) "
        "InputItem(y - False) InputItem(z - True)] [(B > 1) ((C % 2) == 0)] training)",
    ),
    ("output a", "Output([] a -)"),
    ("output (a, b)", "Output([] TupleExpr([a b]) -)"),
    ("output a, b = c when d", "Output([a b] c d)"),
    ("output n = a -> b when not training", "Output([n] {a -> b} Unary(not training))"),
    (
        "param p: f32[1, C] = zeros",
        "ParamDecl(p TypeExpr(f32 [DimExpr(1 -) DimExpr(C -)]) zeros False)",
    ),
    ("param p: f32[1] = ones fixed", "ParamDecl(p TypeExpr(f32 [DimExpr(1 -)]) ones True)"),
    ("param p: f32[1] fixed", "ParamDecl(p TypeExpr(f32 [DimExpr(1 -)]) - True)"),
    ("param p: f32[1]", "ParamDecl(p TypeExpr(f32 [DimExpr(1 -)]) - False)"),
    (
        "buffer b: i64[N] = arange(N) transient",
        "BufferDecl(b TypeExpr(i64 [DimExpr(N -)]) Call(arange [Argument(N -)]) True)",
    ),
    ("shared f = g: relu", "Shared(f g: relu)"),
    ("init conv.weight = zeros", "InitDecl(conv weight zeros)"),
    ("draw column = mixed(0.5)", "DrawDecl(column Call(mixed [Argument(0.5 -)]))"),
    ('assert a > 1, "m {a}"', 'Assert((a > 1) "m <a>")'),
    # labels and names that are keywords elsewhere
    ("input: relu", "ExprStmt(input: relu)"),
    ("block: relu", "ExprStmt(block: relu)"),
    ("in: relu", "ExprStmt(in: relu)"),
    ("where = 3", "Bind([where] 3)"),
    ("output.x -> f", "ExprStmt({Attribute(output x) -> f})"),
    ("param([1]) -> f", "ExprStmt({Call(param [Argument(ListExpr([1]) -)]) -> f})"),
]


@pytest.mark.parametrize(("text", "tree"), EXPRESSIONS, ids=[row[0] for row in EXPRESSIONS])
def test_expression(text, tree):
    assert expression(text) == tree


@pytest.mark.parametrize(("text", "tree"), STATEMENTS, ids=[row[0] for row in STATEMENTS])
def test_statement(text, tree):
    assert statement(text) == tree


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a = x\n  -> f\n\n  # why\n  -> g", 1),
        ("a = x -> f(\n1,\n2\n)", 1),
        ("a =\n  x", 1),
        ("a = x +\n  y", 1),
        ("a = if c\n then 1\n else 2", 1),
        ("if c { f }\nelse { g }", 1),
        ("input x: [B]\n  where B > 1,\n B < 9\n when training", 1),
        ("a = x\nb = y", 2),
        ("a = x\n(b)", 2),
        ("a = x\n[b]", 2),
        ("a = x\n-b", 2),
        ("a = 1..\nb = y", 2),
        ("a = x\nwhen: f", 2),
    ],
)
def test_line_breaks(text, count):
    from tests.syntax.tree import read

    assert len(read(f"block a {{\n{text}\n}}").definitions[0].body.statements) == count


CONTINUED = ("+", "*", "**", "/", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "->")


@pytest.mark.parametrize("sign", CONTINUED)
@pytest.mark.parametrize("comment", ["", "  # why", "\n  # why\n"])
def test_line_starting_with_an_operator_continues_the_statement(sign, comment):
    whole = f"y = a {sign} b"
    assert statement(f"y = a{comment}\n    {sign} b") == statement(whole)


def test_line_starting_with_a_dot_continues_the_statement():
    assert statement("y = a\n    .b\n    .c") == statement("y = a.b.c")
