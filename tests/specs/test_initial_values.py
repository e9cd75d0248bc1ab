"""Spread of initial weights where the paper or its code says it, within the error of the sample."""

from math import sqrt

import pytest

from tests.specs.compiled import shipped

DPT = {"dim": 96, "depth": 1, "heads": 3, "taps": (0, 0, 0, 0)}

SPREADS = [
    ("linknet", {}, "encoder3.block1.conv2.weight", sqrt(2 / (9 * 256))),  # 9 * outputs
    ("linknet", {}, "decoder4.tp_conv.0.weight", sqrt(2 / (9 * 128))),
    ("linknet", {}, "decoder2.conv2.0.weight", sqrt(2 / 64)),
    ("carn_x2", {}, "b2.b3.body.2.weight", 1 / sqrt(3 * 9 * 64)),
    ("carn_m_multi_x4", {}, "upsample.up4.body.3.weight", 1 / sqrt(3 * 9 * 16)),
    ("dilated_frontend_voc", {}, "conv3_1.weight", sqrt(2 / (9 * 256))),  # 9 * outputs
    ("dilated_frontend_voc", {}, "fc-final.weight", 0.001),
    ("nin_dsn_cifar10", {}, "net.conv2.weight", 0.05),
    ("nin_dsn_cifar10", {}, "ip_svm3.weight", 1 / sqrt(10 * 192 * 64)),  # all weights as fan-in
    ("resnet26_parallel_adapters", {}, "layer3.1.conv1.conv.weight", sqrt(2 / (9 * 256))),
    (
        "resnet26_series_adapters",
        {},
        "layer3.1.conv1.bns.0.0.conv.1.weight",
        sqrt(2 / 256),
    ),
    ("rnn_lm", {"words": 99}, "rnn.1.weight_hh_l0", 1 / sqrt(3 * 512)),  # PyTorch's default
    ("transformer_lm", {"words": 99}, "attentions.2.out_proj.weight", 0.02),
    ("transformer_lm", {"words": 99}, "position_embeddings.weight", 0.02),
    ("transformer_lm", {"words": 99}, "layer_norms_1.1.weight", 0.02),
    ("cross_domain_conv5", {}, "netB.conv3.weight", 0.02 * sqrt(2 / (9 * (256 + 384)))),
    ("cross_domain_conv5", {}, "netB.bn6.weight", 0.02),
    ("hrnet_w18_small", {}, "stage3.0.branches.1.0.conv1.weight", sqrt(2 / (9 * 32))),  # outputs
    ("scnet_t_x4", {}, "body.0.conv1.weight", 0.1 * sqrt(2 / 64)),
    ("scnet_t_x4", {}, "upconv2.up_layer.4.weight", 0.1 * sqrt(2 / 64)),
    ("u2netp", {}, "stage1.rebnconv1.conv_s1.weight", sqrt(2 / (9 * (16 + 64)))),
    ("unetseeindark_4_4", {}, "conv5_2.weight", 1 / sqrt(3 * 9 * 512)),  # PyTorch's default
    ("dpt", DPT, "dpt.encoder.layer.0.output.dense.weight", 0.02),
    ("dpt", DPT, "dpt.embeddings.position_embeddings", 0.02),
    ("resnetv2_50x1_bit", {}, "stages.2.blocks.3.conv2.weight", sqrt(2 / (9 * 256))),  # 9 * outputs
    ("resnetv2_50", {}, "stages.2.blocks.3.conv2.weight", sqrt(2 / (9 * 256))),
    ("resnetv2_50", {}, "head.fc.weight", 0.01),
    ("voc_fcn8s", {"encoder": "vgg16(hidden=8)"}, "conv3_1.weight", sqrt(2 / (9 * 256))),
    ("unsupervised_depth", {}, "conv_stage2_block1_branch2b.weight", 1 / sqrt(9 * 128)),
    ("resnetv2_50_k4", {}, "stages.2.blocks.3.conv2.weight", 1 / sqrt(9 * 256)),  # of both fans
    ("revnet50", {}, "stages.3.blocks.1.conv2.weight", 1 / sqrt(9 * 256)),
    ("jigsaw", {"dim": 8}, "hidden.weight", 0.005),
    ("mobilenetv3_large_100", {}, "blocks.3.1.conv_dw.weight", sqrt(2 / 9)),  # of a group
    ("mobilenetv3_large_100", {}, "blocks.3.1.conv_pwl.weight", sqrt(2 / 80)),
    (
        "ofa_flops_595m_s",
        {},
        "blocks.8.mobile_inverted_conv.depth_conv.conv.weight",
        sqrt(2 / (49 * 288)),
    ),
    ("deeplab_largefov", {}, "features.38.weight", 0.01),
    ("deeplab_msc_largefov", {}, "data_conv.weight", 0.001),
    ("deeplab_msc_largefov", {}, "pool4_fc.weight", 0.005),
    ("deeplab_msc_largefov", {}, "conv4_2.weight", sqrt(2 / (9 * 512))),
    ("tresnet_m", {}, "body.layer3.2.se.fc2.weight", sqrt(2 / 256)),
    ("tresnet_m", {}, "head.fc.weight", 0.01),
    ("mixer_s32_224", {}, "stem.proj.weight", sqrt(1 / (3 * 32**2))),
    ("mixer_s32_224", {}, "blocks.1.mlp_tokens.fc1.weight", sqrt(2 / (49 + 256))),
    ("bts", {}, "decoder.conv5.0.weight", sqrt(2 / (9 * (512 + 256 + 512)))),
]


@pytest.mark.parametrize(("name", "options", "weight", "spread"), SPREADS)
def test_spread_of_initial_weights(name, options, weight, spread):
    values = shipped(name, **options).to_torch(seed=1).state_dict()[weight]
    assert float(values.std()) == pytest.approx(spread, rel=4 / sqrt(2 * values.numel()))


@pytest.mark.parametrize(
    ("name", "options", "weight"),
    [
        ("scnet_t_x4", {}, "body.0.conv1.bias"),
        ("resnetv2_50x1_bit", {}, "head.fc.weight"),
        ("dpt", DPT, "dpt.encoder.layer.0.output.dense.bias"),
        ("deeplab_msc_largefov", {}, "pool3_ms.weight"),
        ("deeplab_msc_largefov", {}, "fc8_voc12.bias"),
        ("tresnet_m", {}, "body.layer1.0.conv2.bn.weight"),
        ("tresnet_m", {}, "body.layer4.2.conv3.bn.weight"),
        ("mixer_s32_224", {}, "head.weight"),
    ],
)
def test_weights_that_begin_at_zero(name, options, weight):
    assert not shipped(name, **options).to_torch(seed=1).state_dict()[weight].any()
