"""Parameters, multiply-accumulates and depth of shipped networks are those of the literature.

All were counted from reference implementations (torchvision 0.29.1, or the authors' definitions
rebuilt); MACs are those of convolutions, matrix products and attention for a batch of one.
"""

import pytest

from tests.specs.compiled import shipped

FRACTALNET = [
    ("fractalnet20_cifar10", 33_714_314, 845_222_912, 21),
    ("fractalnet20_cifar100", 33_760_484, 845_268_992, 21),
    ("fractalnet40_cifar10", 76_084_554, 2_036_077_568, 41),
    ("fractalnet40_cifar100", 76_130_724, None, 41),
    ("fractalnet5_w16", 257_924, 4_583_936, 6),
    ("fractalnet10_w16", 846_612, 19_182_080, 11),
    ("fractalnet20_w16", 2_122_628, 53_834_240, 21),
    ("fractalnet40_w16", 4_773_300, 128_594_432, 41),
    ("fractalnet80_w16", 10_173_284, 283_570_688, 81),
    ("fractalnet160_w16", 21_071_892, 598_979_072, 161),
    ("fractalnet34_imagenet", 164_002_088, 24_164_982_784, 34),
]
RESNET = [
    ("resnet18", 11_689_512, 1_814_073_344, 18),
    ("resnet34", 21_797_672, 3_663_761_408, 34),
    ("resnet18_a", 11_515_688, 1_794_805_760, 18),
    ("resnet34_a", 21_623_848, 3_644_493_824, 34),
    ("plain18", 11_515_688, 1_794_805_760, 18),
    ("plain34", 21_623_848, 3_644_493_824, 34),
    ("resnet50", 25_557_032, 4_089_184_256, 50),
    ("resnet101", 44_549_160, 7_801_405_440, 101),
    ("resnet152", 60_192_808, 11_513_626_624, 152),
    ("resnet50_v1", 25_557_032, 3_857_973_248, 50),
    ("resnet101_v1", 44_549_160, 7_570_194_432, 101),
    ("resnet152_v1", 60_192_808, 11_282_415_616, 152),
    ("resnext50_32x4d", 25_028_904, None, 50),
    ("resnext101_32x8d", 88_791_336, None, 101),
    ("resnext101_64x4d", 83_455_272, None, 101),
    ("wide_resnet50_2", 68_883_240, 11_398_021_120, 50),
    ("wide_resnet101_2", 126_886_696, 22_753_050_624, 101),
    ("resnet20_cifar10", 269_722, 40_551_040, 20),
    ("resnet32_cifar10", 464_154, 68_862_592, 32),
    ("resnet44_cifar10", 658_586, 97_174_144, 44),
    ("resnet56_cifar10", 853_018, 125_485_696, 56),
    ("resnet110_cifar10", 1_727_962, 252_887_680, 110),
    ("resnet1202_cifar10", 19_421_274, 2_829_238_912, 1202),
]
DENSENET = [
    ("densenet121", 7_978_856, 2_834_161_664, 121),
    ("densenet161", 28_681_000, 7_727_907_072, 161),
    ("densenet169", 14_149_480, 3_359_843_328, 169),
    ("densenet201", 20_013_928, 4_291_365_888, 201),
    # the name leaves the classifier out
    ("densenet264", 33_337_704, 5_751_653_376, 265),
    ("densenet40_k12_cifar10", 1_019_722, 264_812_928, 40),
    ("densenet100_k12_cifar10", 6_979_642, 1_769_516_448, 100),
    ("densenet100_k24_cifar10", 27_249_082, 6_889_347_744, 100),
    ("densenet_bc100_k12_cifar10", 769_162, 287_929_692, 100),
    ("densenet_bc250_k24_cifar10", 15_324_406, 5_418_785_724, 250),
    ("densenet_bc190_k40_cifar10", 25_624_430, 9_301_945_740, 190),
]
# The names count the two projections that stand beside the path, not on it.
WIDE_RESNET = [
    ("wrn_16_4", 2_748_890, 392_612_352, 14),
    ("wrn_16_8", 10_961_370, 1_548_145_664, 14),
    ("wrn_16_10", 17_116_634, 2_412_173_568, 14),
    ("wrn_22_8", 17_158_106, 2_454_115_328, 20),
    ("wrn_22_10", 26_797_914, 3_827_751_168, 20),
    ("wrn_28_10", 36_479_194, 5_243_328_768, 26),
    ("wrn_28_12", 52_517_850, 7_543_905_792, 26),
    ("wrn_40_1", 563_930, 83_280_512, 38),
    ("wrn_40_2", 2_243_546, 327_599_360, 38),
    ("wrn_40_4", 8_949_210, 1_298_582_016, 38),
    ("wrn_40_8", 35_748_314, 5_172_024_320, 38),
]
PYRAMIDNET = [
    ("pyramidnet110_a48_cifar10", 1_772_706, 403_813_504, 110),
    ("pyramidnet110_a84_cifar10", 3_904_446, None, 110),
    ("pyramidnet110_a270_cifar10", 28_485_477, None, 110),
    ("pyramidnet164_a270_cifar10", 27_216_021, 4_569_837_040, 164),
    ("pyramidnet272_a200_cifar10", 26_210_842, 4_488_778_176, 272),
]
OTHERS = [
    ("alexnet", 61_100_840, 714_188_480, 8),
    ("convnext_tiny", 28_589_128, None, 59),
    ("convnext_small", 50_223_688, None, 113),
    ("convnext_base", 88_591_464, None, 113),
    ("convnext_large", 197_767_336, None, 113),
    ("deit_tiny_patch16_224", 5_717_416, None, 50),
    ("deit_base_patch16_224", 86_567_656, None, 50),
    ("efficientnet_b0", 5_288_548, None, 82),
    ("efficientnet_b7", 66_347_960, None, 274),
    ("inception_v3", 27_161_264, 5_713_216_096, 48),
    ("mobilenetv1_100", 4_231_976, None, 28),
    ("swin_t", 28_288_354, None, None),
    ("swin_b", 87_768_224, None, None),
    ("vgg11", 132_863_336, None, 11),
    ("vgg16_bn", 138_365_992, 15_470_264_320, 16),
    ("vgg19_bn", 143_678_248, None, 19),
    ("lenet", 61_706, 416_520, 5),
    ("vit_b_16", 86_567_656, None, 50),
    ("vit_b_32", 88_224_232, None, 50),
    ("vit_l_16", 304_326_632, None, 98),
    ("vit_l_32", 306_535_400, None, 98),
    ("vit_h_14", 632_045_800, None, 130),
]


@pytest.mark.parametrize(
    ("name", "parameters", "macs", "depth"),
    [*FRACTALNET, *RESNET, *DENSENET, *WIDE_RESNET, *PYRAMIDNET, *OTHERS],
)
def test_counts(name, parameters, macs, depth):
    network = shipped(name)
    assert network.parameters == parameters
    if depth is not None:
        assert network.depth == depth
    if macs is not None:
        assert network.macs() == macs


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({"bias": False, "affine": True}, 33_724_618),
        ({"bias": False, "affine": True, "classes": 100}, 33_770_788),
        ({"pool_first": False}, 33_714_314),
    ],
)
def test_counts_of_fractalnet20_with_options(options, parameters):
    network = shipped("fractalnet20_cifar10", **options)
    assert network.parameters == parameters
    assert network.macs() in (845_222_912, 845_268_992)


@pytest.mark.parametrize(
    ("column", "parameters", "macs", "depth"),
    [
        (1, 3_915_914, 67_834_880, 6),
        (2, 9_410_122, 228_267_008, 11),
        (3, 20_398_538, 549_131_264, 21),
        (4, 42_375_370, 1_190_859_776, 41),
    ],
)
def test_counts_of_single_columns(column, parameters, macs, depth):
    network = shipped("fractalnet40_cifar10").extract(column=column)
    assert (network.parameters, network.macs(), network.depth) == (parameters, macs, depth)


def test_paths_through_fractals():
    paths = [shipped(f"fractalnet{n}_w16").report().paths.exact for n in (5, 10, 20, 40, 80)]
    assert paths == [1**5, 2**5, 5**5, 26**5, 677**5]


def test_forty_columns_are_counted_at_once():
    network = shipped("fractalnet", columns=40)
    assert network.depth == 5 * 2**39 + 1
    assert network.parameters > 10**18
