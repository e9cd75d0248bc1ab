"""PolyMaX: one rule for classes, depth and normals."""

import pytest
import torch

from tests.specs.compiled import shipped
from tests.specs.golden import fill

SMALL = {
    "encoder": "convnext_encoder([1, 1, 1, 1], [4, 6, 8, 10])",
    "clusters": 6,
    "depths": (1, 1, 0),
}


@pytest.fixture(scope="module")
def modules():
    """Networks for one, three and five channels, with the same weights where shapes agree."""
    networks = {n: shipped("polymax", channels=n, **SMALL).to_torch().eval() for n in (1, 3, 5)}
    weights = {
        name: torch.from_numpy(fill(name, tuple(value.shape), gain=1.0))
        for name, value in networks[5].state_dict().items()
        if value.is_floating_point()
    }
    for n, module in networks.items():
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                value.copy_(weights[name][:n] if "class_head" in name else weights[name])
    return networks


def test_probabilities_of_the_clusters_sum_to_one_and_do_not_depend_on_the_task(modules):
    image = torch.randn(2, 3, 65, 97, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        results = {n: module(image) for n, module in modules.items()}
    for result in results.values():
        torch.testing.assert_close(result.probabilities.sum(1), torch.ones(2, 17, 25))
        assert torch.equal(result.probabilities, results[5].probabilities)
    assert results[5].probabilities.std() > 1e-3
    for n in (1, 3):
        torch.testing.assert_close(results[n].map, results[5].map[:, :n])


def test_predictions_are_means_of_the_values_of_the_clusters(modules):
    image = torch.randn(1, 3, 65, 65, generator=torch.Generator().manual_seed(2))
    module = modules[3]
    seen = []
    head = module.get_submodule("sem_seg_head.predictor._predcitor._transformer_class_head.conv")
    handle = head.register_forward_hook(lambda *given: seen.append(given[2]))
    with torch.no_grad():
        result = module(image)
    handle.remove()
    small = torch.einsum("bkhw,bck->bchw", result.probabilities, seen[0])
    wanted = torch.nn.functional.interpolate(small, (65, 65), mode="bilinear", align_corners=True)
    torch.testing.assert_close(result.map, wanted)
