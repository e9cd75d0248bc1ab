"""Calls of PyTorch, TensorFlow and Keras, with the equivalent ops.

One row for each call: `names = op: arguments` (indented lines continue the row), with the arguments
in the order of the other library. Notation of an argument:

    width=out_channels   `out_channels` there is the attribute `width` here
    stride               has the same name
    -in_channels         is left out: it is inferred, or has no meaning in a spec
    @input, @@tensors    data; a list of data
    padding?0            is written with this value if it is not given, since the defaults differ
    +activation          an activation, applied after the op
    !kernel_initializer  the name of an initialiser
    :name                the name of the layer: a label
    *shape               all arguments that follow
    ~padding             margins of an image, as for `pad`
    %target_shape        a shape without the batch
    #shape               all arguments that follow, as one list
    $parts=split_size    an attribute, only if it is a list
    |pad                 margins of each axis, from the last axis backwards
    ^padding             has no counterpart, unless it is "valid"
    =groups?each         is always written

An `op` with a dot is a block of the standard library. A call without an op here, or with an
argument that is in no row, is not rewritten.
"""

from __future__ import annotations

MODULES = """
Conv1d Conv2d Conv3d = conv: -in_channels width=out_channels kernel=kernel_size stride padding?0
    dilation groups bias padding_mode -device -dtype
LazyConv1d LazyConv2d LazyConv3d = conv: width=out_channels kernel=kernel_size stride padding?0
    dilation groups bias padding_mode
ConvTranspose1d ConvTranspose2d ConvTranspose3d = conv_transpose: -in_channels
    width=out_channels kernel=kernel_size stride padding output_padding groups bias dilation
Linear = linear: -in_features width=out_features bias -device -dtype
LazyLinear = linear: width=out_features bias
Bilinear =
MaxPool1d MaxPool2d MaxPool3d = max_pool: kernel=kernel_size stride padding dilation
    indices=return_indices ceil=ceil_mode
AvgPool1d AvgPool2d AvgPool3d = avg_pool: kernel=kernel_size stride padding ceil=ceil_mode
    count_include_pad
MaxUnpool1d MaxUnpool2d MaxUnpool3d = max_unpool: kernel=kernel_size stride padding
AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d = adaptive_avg_pool: size=output_size
AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d = adaptive_max_pool: size=output_size
BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm = batch_norm: -num_features eps momentum
    affine track=track_running_stats -device -dtype
LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d = batch_norm: eps momentum affine
    track=track_running_stats
FrozenBatchNorm2d = frozen_batch_norm: -num_features eps
InstanceNorm1d InstanceNorm2d InstanceNorm3d = instance_norm: -num_features eps momentum affine
    track=track_running_stats
GroupNorm = group_norm: groups=num_groups -num_channels eps affine
LayerNorm = layer_norm: -normalized_shape eps affine=elementwise_affine bias
RMSNorm = rms_norm: -normalized_shape eps affine=elementwise_affine
LocalResponseNorm = local_response_norm: size alpha beta k
ReLU = relu: -inplace
ReLU6 = relu6: -inplace
LeakyReLU = leaky_relu: slope=negative_slope -inplace
PReLU = prelu: weights=num_parameters init
ELU = elu: alpha -inplace
CELU = celu: alpha -inplace
SELU = selu: -inplace
GELU = gelu: approximate
SiLU Swish = silu: -inplace
Mish = mish: -inplace
Sigmoid = sigmoid:
Tanh = tanh:
Softplus = softplus: beta threshold
Softsign = softsign:
Tanhshrink = tanh_shrink:
Softshrink = soft_shrink: bound=lambd
Hardshrink = hard_shrink: bound=lambd
Hardtanh = hard_tanh: low=min_val high=max_val -inplace
Hardsigmoid = hard_sigmoid: -inplace
Hardswish = hard_swish: -inplace
LogSigmoid = log_sigmoid:
Softmax = softmax: axis=dim
Softmax2d = softmax: axis?1
LogSoftmax = log_softmax: axis=dim
GLU = glu: axis=dim
Dropout = dropout: p -inplace
Dropout1d Dropout2d Dropout3d = channel_dropout: p -inplace
AlphaDropout = alpha_dropout: p -inplace
DropPath = drop_path: p=drop_prob
Identity = identity:
Flatten = flatten: start=start_dim stop=end_dim
Unflatten = unflatten: axis=dim sizes=unflattened_size
Embedding = embedding: count=num_embeddings width=embedding_dim
    padding_index=padding_idx
Upsample = upsample: ^size scale=scale_factor mode align_corners
UpsamplingNearest2d = upsample: ^size scale=scale_factor
UpsamplingBilinear2d = upsample: ^size scale=scale_factor mode?bilinear align_corners?true
PixelShuffle = pixel_shuffle: factor=upscale_factor
PixelUnshuffle = pixel_unshuffle: factor=downscale_factor
Unfold = unfold: kernel=kernel_size dilation padding stride
Fold = fold: size=output_size kernel=kernel_size dilation padding stride
ZeroPad1d ZeroPad2d ZeroPad3d ConstantPad1d ConstantPad2d ConstantPad3d = pad: ~padding value
ReflectionPad1d ReflectionPad2d ReflectionPad3d = pad: ~padding mode?reflect
ReplicationPad1d ReplicationPad2d ReplicationPad3d = pad: ~padding mode?replicate
CircularPad1d CircularPad2d CircularPad3d = pad: ~padding mode?circular
LSTM = lstm: -input_size hidden=hidden_size layers=num_layers bias batch_first?false dropout
    bidirectional
GRU = gru: -input_size hidden=hidden_size layers=num_layers bias batch_first?false dropout
    bidirectional
LSTMCell = lstm_cell: -input_size hidden=hidden_size bias
GRUCell = gru_cell: -input_size hidden=hidden_size bias
MultiheadAttention = multihead_attention: -embed_dim heads=num_heads dropout bias -add_bias_kv
    -add_zero_attn -kdim -vdim -batch_first
DeformConv2d = deform_conv: -in_channels width=out_channels kernel=kernel_size stride padding?0
    dilation groups bias
"""
"""Classes of `torch.nn`."""

FUNCTIONS = """
conv1d conv2d conv3d = convolve: @input @weight @bias stride padding?0 dilation groups
conv_transpose1d conv_transpose2d conv_transpose3d = convolve_transpose:
    @input @weight @bias stride padding output_padding groups dilation
linear = affine: @input @weight @bias
max_pool1d max_pool2d max_pool3d = max_pool: @input kernel=kernel_size stride padding dilation
    ceil=ceil_mode indices=return_indices
avg_pool1d avg_pool2d avg_pool3d = avg_pool: @input kernel=kernel_size stride padding
    ceil=ceil_mode count_include_pad
adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d = adaptive_avg_pool: @input
    size=output_size
adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d = adaptive_max_pool: @input
    size=output_size
relu relu_ = relu: @input -inplace
relu6 = relu6: @input -inplace
leaky_relu = leaky_relu: @input slope=negative_slope -inplace
elu = elu: @input alpha -inplace
selu = selu: @input -inplace
celu = celu: @input alpha -inplace
gelu = gelu: @input approximate
silu swish = silu: @input -inplace
mish = mish: @input -inplace
hardswish = hard_swish: @input -inplace
hardsigmoid = hard_sigmoid: @input -inplace
hardtanh = hard_tanh: @input low=min_val high=max_val -inplace
hardshrink = hard_shrink: @input bound=lambd
softshrink = soft_shrink: @input bound=lambd
tanhshrink = tanh_shrink: @input
logsigmoid = log_sigmoid: @input
softplus = softplus: @input beta threshold
softsign = softsign: @input
softmax = softmax: @input axis=dim -_stacklevel -dtype
log_softmax = log_softmax: @input axis=dim
glu = glu: @input axis=dim
dropout = dropout: @input p -training -inplace
dropout1d dropout2d dropout3d = channel_dropout: @input p -training -inplace
alpha_dropout = alpha_dropout: @input p -training
drop_path = drop_path: @input p=drop_prob -training
interpolate upsample = upsample: @input ^size scale=scale_factor mode align_corners
pixel_shuffle = pixel_shuffle: @input factor=upscale_factor
pixel_unshuffle = pixel_unshuffle: @input factor=downscale_factor
normalize = l2_normalize: @input ^p axis=dim eps
unfold = unfold: @input kernel=kernel_size dilation padding stride
fold = fold: @input size=output_size kernel=kernel_size dilation padding stride
grid_sample = grid_sample: @input @grid mode padding_mode align_corners
scaled_dot_product_attention = scaled_dot_product_attention: @query @key @value @attn_mask
    dropout=dropout_p causal=is_causal scale
embedding = take: @weight @input
cat concat concatenate = concat: @@tensors axis=dim?0
stack = stack: @@tensors axis=dim
hstack = concat: @@tensors axis?1
vstack = concat: @@tensors axis?0
matmul mm bmm dot = matmul: @input @other
einsum = einsum: pattern=equation @a @b @c @d
add = add: @input @other
sub subtract = sub: @input @other
mul multiply = mul: @input @other
div divide true_divide = div: @input @other
pow = pow: @input scalar=exponent
maximum = maximum: @input @other
minimum = minimum: @input @other
where = where: @condition @input @other
pad = pad: @input |amounts=pad |amounts=pad_width mode value value=constant_values
flatten = flatten: @input start=start_dim?0 stop=end_dim
reshape = reshape: @input *shape
permute = permute: @input *dims
transpose swapaxes swapdims = transpose: @input axis_a=dim0 axis_b=dim1
squeeze = squeeze: @input axis=dim
unsqueeze expand_dims = unsqueeze: @input axis=dim
mean = mean: @input axis=dim keepdim -dtype
sum = sum: @input axis=dim keepdim -dtype
std = std: @input axis=dim keepdim correction
var = var: @input axis=dim keepdim correction
norm = norm: @input p axis=dim keepdim
amax = max: @input axis=dim keepdim
amin = min: @input axis=dim keepdim
max = max: @input axis=dim keepdim
min = min: @input axis=dim keepdim
argmax = argmax: @input axis=dim keepdim
argmin = argmin: @input axis=dim keepdim
logsumexp = logsumexp: @input axis=dim keepdim
cumsum = cumsum: @input axis=dim
topk = topk: @input count=k axis=dim largest -sorted
sort = sort: @input axis=dim descending
chunk = split: @input parts=chunks axis=dim?0
split = split: @input $parts=split_size axis=dim?0
unbind = unbind: @input axis=dim
flip = flip: @input axes=dims
roll = roll: @input shifts axes=dims
clamp clip = clamp: @input low=min high=max
gather = gather: @input axis=dim @index
masked_fill = masked_fill: @input @mask value
tril = tril: @input diagonal
triu = triu: @input diagonal
sigmoid = sigmoid: @input
tanh = tanh: @input
exp = exp: @input
log = log: @input
log1p = log1p: @input
sqrt = sqrt: @input
rsqrt = rsqrt: @input
abs = abs: @input
square = square: @input
sin = sin: @input
cos = cos: @input
erf = erf: @input
sign = sign: @input
floor = floor: @input
ceil = ceil: @input
round = round: @input
reciprocal = reciprocal: @input
detach = detach: @input
neg negative = neg: @input
zeros_like = zeros_like: @input
ones_like = ones_like: @input
full_like = full_like: @input value=fill_value
arange = arange: start stop step -device -dtype
zeros empty = zeros: #shape -device -dtype -requires_grad
ones = ones: #shape -device -dtype -requires_grad
"""
"""Functions of `torch` and `torch.nn.functional`."""

METHODS = """
view reshape view_as = reshape: *shape
flatten = flatten: start=start_dim?0 stop=end_dim
permute = permute: *dims
transpose swapaxes swapdims = transpose: axis_a=dim0 axis_b=dim1
squeeze = squeeze: axis=dim
unsqueeze = unsqueeze: axis=dim
expand = expand: *sizes
mean = mean: axis=dim keepdim
sum = sum: axis=dim keepdim
std = std: axis=dim keepdim correction
var = var: axis=dim keepdim correction
norm = norm: p axis=dim keepdim
amax = max: axis=dim keepdim
amin = min: axis=dim keepdim
argmax = argmax: axis=dim keepdim
argmin = argmin: axis=dim keepdim
softmax = softmax: axis=dim
log_softmax = log_softmax: axis=dim
logsumexp = logsumexp: axis=dim keepdim
cumsum = cumsum: axis=dim
topk = topk: count=k axis=dim largest
sort = sort: axis=dim descending
chunk = split: parts=chunks axis=dim?0
split = split: $parts=split_size axis=dim?0
unbind = unbind: axis=dim
select = select: axis=dim index
narrow = slice: axis=dim start ^length
flip = flip: axes=dims
roll = roll: shifts axes=dims
unflatten = unflatten: axis=dim sizes
clamp clip = clamp: low=min high=max
masked_fill = masked_fill: @mask value
gather = gather: axis=dim @index
matmul mm bmm dot __matmul__ = matmul: @other
add add_ = add: @other
sub = sub: @other
mul mul_ = mul: @other
div = div: @other
pow = pow: scalar=exponent
relu relu_ = relu:
contiguous clone cuda cpu to_dense = identity:
float = cast: dtype?f32
long = cast: dtype?i64
detach = detach:
tril = tril: diagonal
triu = triu: diagonal
"""
"""Methods of tensors, which come first. Other methods named like an op are that op."""

KERAS = """
Dense = linear: width=units width=features +activation bias=use_bias !kernel_initializer
    !bias_initializer -kernel_regularizer -bias_regularizer :name -input_shape -input_dim
Conv1D Conv2D Conv3D Convolution1D Convolution2D Convolution3D = conv: width=filters
    kernel=kernel_size stride=strides padding?0 -data_format dilation=dilation_rate groups
    +activation bias=use_bias !kernel_initializer !bias_initializer -kernel_regularizer :name
    -input_shape
Conv1DTranspose Conv2DTranspose Conv3DTranspose = conv_transpose: width=filters
    kernel=kernel_size stride=strides padding -output_padding -data_format
    dilation=dilation_rate +activation bias=use_bias !kernel_initializer :name
DepthwiseConv1D DepthwiseConv2D = conv: =width?same kernel=kernel_size stride=strides padding?0
    =groups?each ^depth_multiplier -data_format dilation=dilation_rate +activation bias=use_bias
    :name
SeparableConv1D SeparableConv2D = cnn.separable_conv: width=filters kernel=kernel_size
    stride=strides -padding -data_format -dilation_rate ^depth_multiplier +activation :name
MaxPooling1D MaxPooling2D MaxPooling3D MaxPool1D MaxPool2D MaxPool3D = max_pool:
    kernel=pool_size?2 stride=strides ^padding -data_format :name
AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D = avg_pool:
    kernel=pool_size?2 stride=strides ^padding -data_format :name
GlobalAveragePooling1D GlobalAvgPool1D = mean: axis?1 -data_format keepdim=keepdims
GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool2D GlobalAvgPool3D = global_avg_pool:
    -data_format keepdim=keepdims :name
GlobalMaxPooling1D GlobalMaxPool1D = max: axis?1 -data_format keepdim=keepdims
GlobalMaxPooling2D GlobalMaxPooling3D GlobalMaxPool2D GlobalMaxPool3D = global_max_pool:
    -data_format keepdim=keepdims :name
BatchNormalization = batch_norm: -axis -momentum eps=epsilon -center -scale :name -trainable
LayerNormalization = layer_norm: -axis eps=epsilon -center -scale :name
GroupNormalization = group_norm: groups -axis eps=epsilon -center -scale :name
RMSNormalization = rms_norm: -axis eps=epsilon :name
UnitNormalization = l2_normalize: axis :name
Activation = +activation :name
ReLU = relu: ^max_value ^negative_slope ^threshold :name
LeakyReLU = leaky_relu: slope=negative_slope slope=alpha :name
PReLU = prelu: :name
ELU = elu: alpha :name
Softmax = softmax: axis :name
Dropout = dropout: p=rate -noise_shape -seed :name
SpatialDropout1D SpatialDropout2D SpatialDropout3D = channel_dropout: p=rate :name
AlphaDropout = alpha_dropout: p=rate :name
Flatten = flatten: -data_format :name -input_shape
Reshape = reshape: %target_shape :name
Permute = permute: %dims :name
Embedding = embedding: count=input_dim width=output_dim -embeddings_initializer -mask_zero
    -input_length :name
UpSampling1D UpSampling2D UpSampling3D = upsample: scale=size?2 -data_format mode=interpolation
    :name
ZeroPadding1D ZeroPadding2D ZeroPadding3D = pad: ~padding?1 -data_format :name
Add = add: :name
Subtract = sub: :name
Multiply = mul: :name
Average = mean:
Maximum = maximum: :name
Minimum = minimum: :name
Concatenate = concat: axis :name
LSTM = lstm: hidden=units bias=use_bias dropout -return_sequences -return_state
    -recurrent_dropout -activation :name
GRU = gru: hidden=units bias=use_bias dropout -return_sequences -return_state -recurrent_dropout
    -activation :name
MultiHeadAttention = multihead_attention: heads=num_heads -key_dim -value_dim dropout
    bias=use_bias :name
Attention = scaled_dot_product_attention:
concatenate = concat: @@inputs axis :name
reduce_mean = mean: @input axis keepdim=keepdims
reduce_sum = sum: @input axis keepdim=keepdims
reduce_max = max: @input axis keepdim=keepdims
reduce_min = min: @input axis keepdim=keepdims
"""
"""Layers of Keras, and functions of TensorFlow that have another name in PyTorch."""

OTHERS = """
Upsample = resize: size ^scale_factor mode align_corners
interpolate = resize: @input size ^scale_factor mode align_corners
LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d = instance_norm: eps momentum affine
LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d = conv_transpose:
    width=out_channels kernel=kernel_size stride padding output_padding groups bias dilation
where = where: @condition @input otherwise=other
add = add: @input scalar=other
sub subtract = sub: @input scalar=other
mul multiply = mul: @input scalar=other
div divide true_divide = div: @input scalar=other
maximum = clamp: @input low=other
minimum = clamp: @input high=other
concatenate = concat: @@inputs axis :name
Conv = conv: width=features kernel=kernel_size kernel=kernel_shape stride=strides padding
    padding=pads dilation=kernel_dilation dilation=dilations groups=feature_group_count
    groups=group bias=use_bias !kernel_init !bias_init -auto_pad -dtype :name
ConvTranspose = conv_transpose: width=features kernel=kernel_size kernel=kernel_shape
    stride=strides padding padding=pads bias=use_bias :name
Gemm = linear: width -alpha -beta -transA -transB
Embed = embedding: count=num_embeddings width=features :name
SelfAttention MultiHeadDotProductAttention = multihead_attention: heads=num_heads -qkv_features
    -out_features dropout=dropout_rate -deterministic :name
MaxPool = max_pool: kernel=kernel_shape stride=strides padding=pads dilation=dilations
AveragePool = avg_pool: kernel=kernel_shape stride=strides padding=pads
max_pool = max_pool: @inputs kernel=window_shape stride=strides padding
avg_pool = avg_pool: @inputs kernel=window_shape stride=strides padding
LeakyRelu = leaky_relu: slope=alpha
BatchNorm = batch_norm: -use_running_average -axis -momentum eps=epsilon -use_bias -use_scale :name
LayerNorm = layer_norm: eps=epsilon -use_bias -use_scale :name
RMSNorm = rms_norm: eps=epsilon :name
GroupNorm = group_norm: groups=num_groups eps=epsilon -use_bias -use_scale :name
Add = add: @a @b
GlobalAveragePool = global_avg_pool:
GlobalMaxPool = global_max_pool:
ReduceMean = mean: axis=axes keepdim=keepdims
ReduceSum = sum: axis=axes keepdim=keepdims
ReduceMax = max: axis=axes keepdim=keepdims
Concat = concat: axis
Transpose = permute: *perm
Clip = clamp: low=min high=max
Gelu = gelu: approximate
"""
"""Rows used if those above lack an argument or a row; names of ONNX and Flax among them."""
