#include <c10/core/GradMode.h>

#include "Internal.h"

using namespace ctorch;

#define UNARY(name, expression)   \
  ct_tensor name(ct_tensor a) {   \
    return tensor([&] {           \
      const at::Tensor &x = a->value; \
      return (expression);        \
    });                           \
  }

UNARY(ct_exp, at::exp(x))
UNARY(ct_log, at::log(x))
UNARY(ct_abs, at::abs(x))
UNARY(ct_sign, at::sign(x))
UNARY(ct_sqrt, at::sqrt(x))
UNARY(ct_erf, at::erf(x))
UNARY(ct_reciprocal, at::reciprocal(x))
UNARY(ct_isfinite, at::isfinite(x))
UNARY(ct_all, at::all(x))
UNARY(ct_max, at::max(x))
UNARY(ct_relu, at::relu(x))
UNARY(ct_silu, at::silu(x))
UNARY(ct_sigmoid, at::sigmoid(x))
UNARY(ct_hardswish, at::hardswish(x))
UNARY(ct_hardsigmoid, at::hardsigmoid(x))
UNARY(ct_gelu, at::gelu(x))
UNARY(ct_gelu_tanh, at::gelu(x, "tanh"))
UNARY(ct_tanh, at::tanh(x))
UNARY(ct_selu, at::selu(x))
UNARY(ct_softplus, at::softplus(x))
UNARY(ct_softsign, at::div(x, at::add(at::abs(x), 1)))

ct_tensor ct_leaky_relu(ct_tensor a, double slope) {
  return tensor([&] { return at::leaky_relu(a->value, slope); });
}
ct_tensor ct_elu(ct_tensor a, double alpha) {
  return tensor([&] { return at::elu(a->value, alpha); });
}
ct_tensor ct_celu(ct_tensor a, double alpha) {
  return tensor([&] { return at::celu(a->value, alpha); });
}
ct_tensor ct_prelu(ct_tensor a, ct_tensor slopes) {
  return tensor([&] { return at::prelu(a->value, slopes->value); });
}
ct_tensor ct_relu_(ct_tensor a) {
  return tensor([&] { return at::relu_(a->value); });
}
ct_tensor ct_silu_(ct_tensor a) {
  return tensor([&] { return at::silu_(a->value); });
}
ct_tensor ct_hardtanh(ct_tensor a, double minimum, double maximum) {
  return tensor([&] { return at::hardtanh(a->value, minimum, maximum); });
}
ct_tensor ct_hardtanh_(ct_tensor a, double minimum, double maximum) {
  return tensor([&] { return at::hardtanh_(a->value, minimum, maximum); });
}

// MARK: Arithmetic

ct_tensor ct_add(ct_tensor a, ct_tensor b, double alpha) {
  return tensor([&] { return alpha == 1 ? at::add(a->value, b->value) : at::add(a->value, b->value, alpha); });
}
ct_tensor ct_mul(ct_tensor a, ct_tensor b) {
  return tensor([&] { return at::mul(a->value, b->value); });
}
ct_tensor ct_div(ct_tensor a, ct_tensor b) {
  return tensor([&] { return at::div(a->value, b->value); });
}
ct_tensor ct_add_scalar(ct_tensor a, double b) {
  return tensor([&] { return at::add(a->value, b); });
}
ct_tensor ct_mul_scalar(ct_tensor a, double b) {
  return tensor([&] { return at::mul(a->value, b); });
}
int ct_add_(ct_tensor a, ct_tensor b, double alpha) {
  // An integral tensor takes no floating-point factor, not even 1.
  return status([&] { alpha == 1 ? a->value.add_(b->value) : a->value.add_(b->value, alpha); });
}
int ct_mul_(ct_tensor a, ct_tensor b) {
  return status([&] { a->value.mul_(b->value); });
}
int ct_mul_scalar_(ct_tensor a, double b) {
  return status([&] { a->value.mul_(b); });
}
ct_tensor ct_matmul(ct_tensor a, ct_tensor b) {
  return tensor([&] { return at::matmul(a->value, b->value); });
}
ct_tensor ct_clamp(ct_tensor a, double minimum, double maximum) {
  return tensor([&] { return at::clamp(a->value, minimum, maximum); });
}
ct_tensor ct_cumprod(ct_tensor a, int64_t dim) {
  return tensor([&] { return at::cumprod(a->value, dim); });
}
ct_tensor ct_gt_scalar(ct_tensor a, double b) {
  return tensor([&] { return at::gt(a->value, b); });
}
ct_tensor ct_lt(ct_tensor a, ct_tensor b) {
  return tensor([&] { return at::lt(a->value, b->value); });
}
ct_tensor ct_maximum(ct_tensor a, ct_tensor b) {
  return tensor([&] { return at::maximum(a->value, b->value); });
}
ct_tensor ct_where(ct_tensor condition, ct_tensor a, ct_tensor b) {
  return tensor([&] { return at::where(condition->value, a->value, b->value); });
}
ct_tensor ct_eq(ct_tensor a, ct_tensor b) {
  return tensor([&] { return at::eq(a->value, b->value); });
}
ct_tensor ct_sum(ct_tensor a, const int64_t *over, int count, bool keep) {
  return tensor([&] { return count == 0 ? at::sum(a->value) : at::sum(a->value, array(over, count), keep); });
}
ct_tensor ct_norm(ct_tensor a, const int64_t *over, int count, bool keep) {
  return tensor([&] { return at::linalg_vector_norm(a->value, 2, array(over, count), keep); });
}
ct_tensor ct_mean(ct_tensor a, const int64_t *over, int count, bool keep) {
  return tensor([&] { return count == 0 ? at::mean(a->value) : at::mean(a->value, array(over, count), keep); });
}
ct_tensor ct_var(ct_tensor a, const int64_t *over, int count, bool unbiased) {
  return tensor([&] { return at::var(a->value, array(over, count), unbiased); });
}
ct_tensor ct_argmax(ct_tensor a, int64_t dim) {
  return tensor([&] { return at::argmax(a->value, dim); });
}
ct_tensor ct_topk_indices(ct_tensor a, int64_t k, int64_t dim) {
  return tensor([&] { return std::get<1>(at::topk(a->value, k, dim)); });
}

ct_tensor ct_argsort(ct_tensor a, int64_t dim, bool descending) {
  return tensor([&] { return std::get<1>(at::sort(a->value, /*stable=*/true, dim, descending)); });
}

// MARK: Shape

ct_tensor ct_reshape(ct_tensor a, const int64_t *shape, int dims) {
  return tensor([&] { return at::reshape(a->value, array(shape, dims)); });
}
ct_tensor ct_permute(ct_tensor a, const int64_t *order, int dims) {
  return tensor([&] { return at::permute(a->value, array(order, dims)); });
}
ct_tensor ct_flatten(ct_tensor a, int64_t start) {
  return tensor([&] { return at::flatten(a->value, start); });
}
ct_tensor ct_unsqueeze(ct_tensor a, int64_t dim) {
  return tensor([&] { return at::unsqueeze(a->value, dim); });
}
ct_tensor ct_slice(ct_tensor a, int64_t dim, int64_t start, int64_t end, int64_t step) {
  return tensor([&] { return at::slice(a->value, dim, start, end, step); });
}
ct_tensor ct_index_select(ct_tensor a, int64_t dim, ct_tensor index) {
  return tensor([&] { return at::index_select(a->value, dim, index->value); });
}
ct_tensor ct_gather(ct_tensor a, int64_t dim, ct_tensor index) {
  return tensor([&] { return at::gather(a->value, dim, index->value); });
}
ct_tensor ct_scatter(ct_tensor a, int64_t dim, ct_tensor index, ct_tensor source) {
  return tensor([&] { return at::scatter(a->value, dim, index->value, source->value); });
}
ct_tensor ct_flip(ct_tensor a, int64_t dim) {
  return tensor([&] { return at::flip(a->value, {dim}); });
}
ct_tensor ct_cat(const ct_tensor *tensors, size_t count, int64_t dim) {
  return tensor([&] { return at::cat(list(tensors, count), dim); });
}
ct_tensor ct_stack(const ct_tensor *tensors, size_t count, int64_t dim) {
  return tensor([&] { return at::stack(list(tensors, count), dim); });
}

// MARK: Network operations

ct_tensor ct_conv2d(ct_tensor input, ct_tensor weight, ct_tensor bias, const int64_t *stride, const int64_t *padding,
                    const int64_t *dilation, int64_t groups) {
  return tensor([&] {
    return at::conv2d(input->value, weight->value, optional(bias), array(stride, 2), array(padding, 2),
                      array(dilation, 2), groups);
  });
}

ct_tensor ct_batch_norm(ct_tensor input, ct_tensor weight, ct_tensor bias, ct_tensor running_mean,
                        ct_tensor running_var, bool training, double momentum, double epsilon) {
  return tensor([&] {
    return at::batch_norm(input->value, optional(weight), optional(bias), optional(running_mean),
                          optional(running_var), training, momentum, epsilon, true);
  });
}

ct_tensor ct_linear(ct_tensor input, ct_tensor weight, ct_tensor bias) {
  return tensor([&] { return at::linear(input->value, weight->value, optional(bias)); });
}

ct_tensor ct_layer_norm(ct_tensor input, ct_tensor weight, ct_tensor bias, double epsilon) {
  return tensor([&] {
    return at::layer_norm(input->value, weight->value.sizes(), weight->value, bias ? bias->value : at::Tensor(), epsilon);
  });
}

ct_tensor ct_group_norm(ct_tensor input, int64_t groups, ct_tensor weight, ct_tensor bias, double epsilon) {
  return tensor(
      [&] { return at::group_norm(input->value, groups, weight->value, bias ? bias->value : at::Tensor(), epsilon); });
}

ct_tensor ct_reflection_pad(ct_tensor input, const int64_t *pads, int count) {
  return tensor([&] { return at::reflection_pad2d(input->value, array(pads, count)); });
}

ct_tensor ct_pad(ct_tensor input, const int64_t *pads, int count, double value) {
  return tensor([&] { return at::constant_pad_nd(input->value, array(pads, count), value); });
}

ct_tensor ct_pow_scalar(ct_tensor a, double exponent) {
  return tensor([&] { return at::pow(a->value, exponent); });
}

ct_tensor ct_minimum(ct_tensor a, ct_tensor b) {
  return tensor([&] { return at::minimum(a->value, b->value); });
}

ct_tensor ct_amax(ct_tensor a, const int64_t *over, int count, bool keep) {
  return tensor([&] { return at::amax(a->value, array(over, count), keep); });
}

ct_tensor ct_expand(ct_tensor a, const int64_t *sizes, int count) {
  return tensor([&] { return a->value.expand(array(sizes, count)); });
}

ct_tensor ct_upsample(ct_tensor input, const int64_t *size, bool bilinear) {
  return tensor([&] {
    return bilinear ? at::upsample_bilinear2d(input->value, array(size, 2), false)
                    : at::upsample_nearest2d(input->value, array(size, 2));
  });
}

ct_tensor ct_attention(ct_tensor query, ct_tensor key, ct_tensor value) {
  return tensor([&] { return at::scaled_dot_product_attention(query->value, key->value, value->value); });
}

ct_tensor ct_gru(ct_tensor input, ct_tensor hidden, ct_tensor weight_ih, ct_tensor weight_hh, ct_tensor bias_ih,
                 ct_tensor bias_hh) {
  return tensor([&] {
    return std::get<0>(at::gru(input->value, hidden->value,
                               {weight_ih->value, weight_hh->value, bias_ih->value, bias_hh->value}, true, 1, 0.0,
                               c10::GradMode::is_enabled(), false, false));
  });
}

ct_tensor ct_max_pool2d(ct_tensor a, const int64_t *kernel, const int64_t *stride, const int64_t *padding,
                        bool ceil_mode) {
  return tensor([&] {
    return at::max_pool2d(a->value, array(kernel, 2), array(stride, 2), array(padding, 2), {1, 1}, ceil_mode);
  });
}

ct_tensor ct_avg_pool2d(ct_tensor a, const int64_t *kernel, const int64_t *stride, const int64_t *padding,
                        bool ceil_mode, bool count_include_pad) {
  return tensor([&] {
    return at::avg_pool2d(a->value, array(kernel, 2), array(stride, 2), array(padding, 2), ceil_mode,
                          count_include_pad);
  });
}

ct_tensor ct_adaptive_avg_pool2d(ct_tensor a, int64_t height, int64_t width) {
  return tensor([&] { return at::adaptive_avg_pool2d(a->value, {height, width}); });
}

ct_tensor ct_dropout(ct_tensor a, double p, bool per_sample, int64_t first, int64_t whole, ct_generator generator) {
  return tensor([&] {
    const at::Tensor &x = a->value;
    std::vector<int64_t> shape = x.sizes().vec();
    if (per_sample) std::fill(shape.begin() + 1, shape.end(), 1);
    shape[0] = whole;
    auto mask = at::empty(shape, x.options()).bernoulli_(1 - p, generator->value).narrow(0, first, x.size(0));
    if (p < 1) mask.div_(1 - p);
    return at::mul(x, mask);
  });
}

ct_tensor ct_softmax(ct_tensor a, int64_t dim) {
  return tensor([&] { return at::softmax(a->value, dim); });
}
ct_tensor ct_log_softmax(ct_tensor a, int64_t dim) {
  return tensor([&] { return at::log_softmax(a->value, dim); });
}

ct_tensor ct_cross_entropy(ct_tensor logits, ct_tensor target, double label_smoothing, bool sum) {
  return tensor([&] {
    return at::cross_entropy_loss(logits->value, target->value, {}, sum ? at::Reduction::Sum : at::Reduction::Mean,
                                  -100, label_smoothing);
  });
}

ct_tensor ct_kl_divergence(ct_tensor logits, ct_tensor target) {
  return tensor([&] {
    auto pointwise = at::kl_div(at::log_softmax(logits->value, -1), target->value, at::Reduction::Sum);
    return at::div(pointwise, static_cast<double>(logits->value.size(0)));
  });
}

ct_tensor ct_resize_bilinear(ct_tensor a, int64_t height, int64_t width, bool antialias) {
  return tensor([&] {
    return antialias ? at::_upsample_bilinear2d_aa(a->value, {height, width}, false)
                     : at::upsample_bilinear2d(a->value, {height, width}, false);
  });
}

int ct_resize_bytes(const uint8_t *input, int64_t count, int64_t height, int64_t width, int64_t channels,
                    int64_t new_height, int64_t new_width, uint8_t *output) {
  return status([&] {
    // [count, height, width, channels] seen as [N, C, H, W] without a copy.
    auto view = [&](uint8_t *bytes, int64_t h, int64_t w) {
      return at::from_blob(bytes, {count, channels, h, w}, {h * w * channels, 1, w * channels, channels}, at::kByte);
    };
    auto result = view(output, new_height, new_width);
    at::_upsample_bilinear2d_aa_out(result, view(const_cast<uint8_t *>(input), height, width), {new_height, new_width},
                                    false, std::nullopt, std::nullopt);
    TORCH_CHECK(result.data_ptr() == output, "the result was put elsewhere");
  });
}

int ct_beta(double a, double b, ct_generator g, double *out) {
  return status([&] {
    auto alpha = at::empty({2}, at::kDouble);
    alpha[0] = a;
    alpha[1] = b;
    *out = at::_sample_dirichlet(alpha, g->value)[0].item<double>();
  });
}

int ct_normal_(ct_tensor t, double mean, double deviation, ct_generator g) {
  return status([&] { t->value.normal_(mean, deviation, g->value); });
}
int ct_uniform_(ct_tensor t, double low, double high, ct_generator g) {
  return status([&] { t->value.uniform_(low, high, g->value); });
}
