"""The fully convolutional variant of VGG equals the network itself at every position."""

import torch

from tests.specs.compiled import shipped

SMALL = {"hidden": 32, "classes": 5}


def forms():
    plain = shipped("vgg11", **SMALL).to_torch(seed=1).eval()
    everywhere = shipped("vgg11", everywhere=True, **SMALL).to_torch().eval()
    wanted = everywhere.state_dict()
    given = {name: value.reshape(wanted[name].shape) for name, value in plain.state_dict().items()}
    everywhere.load_state_dict(given, strict=True)
    return plain, everywhere


def test_both_agree_on_images_of_the_trained_size():
    plain, everywhere = forms()
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted = plain(image)
        torch.testing.assert_close(
            everywhere(image), wanted, rtol=1e-4, atol=1e-4 * float(wanted.std())
        )


def test_larger_image_yields_the_mean_over_positions():
    _, everywhere = forms()
    maps = []
    everywhere.classifier[-1].register_forward_hook(lambda _, __, found: maps.append(found))
    image = torch.randn(1, 3, 224, 256, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        found = everywhere(image)
    assert maps[0].shape == (1, 5, 1, 2)
    torch.testing.assert_close(found, maps[0].mean((2, 3)))
