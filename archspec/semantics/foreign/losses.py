"""Losses of PyTorch, with the blocks of `std.objectives`. The notation is that of `tables`."""

from __future__ import annotations

FUNCTIONS = """
cross_entropy = objectives.cross_entropy: @input @target @weight -size_average
    ignored=ignore_index -reduce reduction smoothing=label_smoothing
binary_cross_entropy_with_logits = objectives.binary_cross_entropy_with_logits: @input @target
    ^weight -size_average -reduce reduction @pos_weight
mse_loss = objectives.mse_loss: @input @target -size_average -reduce reduction
l1_loss = objectives.l1_loss: @input @target -size_average -reduce reduction
smooth_l1_loss = objectives.smooth_l1_loss: @input @target -size_average -reduce reduction beta
huber_loss = objectives.huber_loss: @input @target reduction delta
sigmoid_focal_loss = objectives.sigmoid_focal_loss: @inputs @targets alpha gamma reduction?none
multi_margin_loss = objectives.multi_margin_loss: @input @target power=p margin ^weight
    -size_average -reduce reduction
triplet_margin_loss = objectives.triplet_margin_loss: @anchor @positive @negative margin p eps
    swap -size_average -reduce reduction
"""
"""Functions of `torch.nn.functional`."""

MODULES = """
CrossEntropyLoss = objectives.cross_entropy: ^weight -size_average ignored=ignore_index -reduce
    reduction smoothing=label_smoothing
BCEWithLogitsLoss = objectives.binary_cross_entropy_with_logits: ^weight -size_average -reduce
    reduction ^pos_weight
MSELoss = objectives.mse_loss: -size_average -reduce reduction
L1Loss = objectives.l1_loss: -size_average -reduce reduction
SmoothL1Loss = objectives.smooth_l1_loss: -size_average -reduce reduction beta
HuberLoss = objectives.huber_loss: reduction delta
MultiMarginLoss = objectives.multi_margin_loss: power=p margin ^weight -size_average -reduce
    reduction
TripletMarginLoss = objectives.triplet_margin_loss: margin p eps swap -size_average -reduce
    reduction
"""
"""Classes of `torch.nn`."""
