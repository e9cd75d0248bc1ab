"""The function that computes a buffer has the names of the spec."""

from archspec_torch.source import python_source


def test_values_of_a_buffer_keep_their_names(network):
    net = network(
        """
block table(window: int) {
  input x: [B, D]
  i, j = (arange(window), arange(window)) -> meshgrid
  place = (2 * window * i + j) -> flatten(0)
  buffer index: i64[window ** 2] = place + 1
  output x + ((index -> cast(f32)) -> mean(axis=0))
}
network net {
  input x: f32[B = 2, 4]
  output y = x -> a: table(2) -> b: table(3)
}
"""
    )
    text, _ = python_source(net.compiled)
    read = "torch.arange(window), torch.arange(window)"
    assert f'i, j = torch.meshgrid([{read}], indexing="ij")' in text
    assert "place = " in text
    model = net.to_torch()
    assert model.a.index.tolist() == [1, 2, 5, 6]
