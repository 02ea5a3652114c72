#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "FusedNormKernels.h"
#include "Internal.h"

namespace ctorch {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// An activation [N, H, W, C] as rows of channels, cut into parts of whole rows that are worked on side by side.
//
// The parts do not depend on the number of threads, so that sums are the same with any.
struct Rows {
  // Floats of a part, roughly: what a core's own cache holds of three tensors.
  static constexpr int64_t part = 1 << 15;
  // The longest period: with more, what is known of channels would not stay in the first cache.
  static constexpr int64_t longest = 2048;

  int64_t channels, rows, period, periods, periods_a_part, parts;

  explicit Rows(const at::Tensor &tensor) : channels(tensor.size(1)), rows(tensor.numel() / tensor.size(1)) {
    period = std::lcm(channels, int64_t(32));
    if (period > longest) period = channels;
    periods = rows * channels / period;
    periods_a_part = std::max<int64_t>(1, part / period);
    parts = (periods + periods_a_part - 1) / periods_a_part;
  }

  int64_t tail() const { return periods * period; }
  // Rows behind the last whole period.
  int64_t rows_left() const { return rows - tail() / channels; }

  // Values by channel → for every float of a period.
  std::vector<float> spread(const std::vector<double> &values) const {
    std::vector<float> result(static_cast<size_t>(period));
    for (int64_t i = 0; i < period; i++) result[static_cast<size_t>(i)] = float(values[static_cast<size_t>(i % channels)]);
    return result;
  }

  // body(first float, periods, floats of a period, part) for every part, and for the rows that are left.
  template <typename Body>
  void each(Body &&body) const {
    at::parallel_for(0, parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t first = i * periods_a_part;
        body(first * period, std::min(periods_a_part, periods - first), period, i);
      }
    });
    if (rows_left() > 0) body(tail(), rows_left(), channels, parts);
  }

  // Two sums by channel, of what body(first float, periods, floats of a period, sum, sum) adds up.
  template <typename Body>
  std::pair<std::vector<double>, std::vector<double>> sums(Body &&body) const {
    const auto width = static_cast<size_t>(2 * period);
    std::vector<float> partial(static_cast<size_t>(parts + 1) * width, 0.0f);
    each([&](int64_t first, int64_t count, int64_t length, int64_t index) {
      float *place = partial.data() + static_cast<size_t>(index) * width;
      body(first, count, length, place, place + period);
    });
    std::vector<double> one(static_cast<size_t>(channels)), other(static_cast<size_t>(channels));
    for (int64_t index = 0; index <= parts; index++) {
      const float *place = partial.data() + static_cast<size_t>(index) * width;
      for (int64_t j = 0; j < period; j++) {
        const auto channel = static_cast<size_t>(j % channels);
        one[channel] += place[j];
        other[channel] += place[period + j];
      }
    }
    return {one, other};
  }
};

// The untyped accessor: the name of the typed one differs between compilers in LibTorch 2.11.
const float *floats(const at::Tensor &tensor) { return static_cast<const float *>(tensor.const_data_ptr()); }

std::vector<double> doubles(const at::Tensor &tensor) {
  const at::Tensor plain = tensor.detach().contiguous();
  const float *values = floats(plain);
  return std::vector<double>(values, values + plain.numel());
}

at::Tensor tensor_of(const std::vector<double> &values) {
  at::Tensor result = at::empty({static_cast<int64_t>(values.size())}, at::kFloat);
  std::transform(values.begin(), values.end(), result.data_ptr<float>(), [](double value) { return float(value); });
  return result;
}

at::Tensor laid_out(const at::Tensor &tensor) {
  return tensor.dim() == 4 ? tensor.contiguous(at::MemoryFormat::ChannelsLast) : tensor.contiguous();
}

// What stays the same between the two passes back.
struct Coefficients {
  std::vector<float> mean, factor, offset;
};

struct FusedNorm : public torch::autograd::Function<FusedNorm> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &input, const at::Tensor &weight,
                            const at::Tensor &bias, const std::optional<at::Tensor> &residual,
                            const std::optional<at::Tensor> &running_mean,
                            const std::optional<at::Tensor> &running_variance, double momentum, double epsilon,
                            int64_t activation) {
    // What is read and written, as often as it is.
    RECORD_FUNCTION("width_transfer::norm", std::vector<c10::IValue>({input, input, input, residual}));
    const at::Tensor x = laid_out(input);
    const Rows rows(x);
    const float *values = floats(x);
    const auto channels = static_cast<size_t>(rows.channels);
    // Sums about a value that the channel has: about zero, a mean far from it would swallow the deviations.
    std::vector<double> start(values, values + rows.channels), mean(channels), variance(channels);
    // Whether the deviations are so much smaller than the way from that value to the mean that single precision swallows them.
    const auto measure = [&]() {
      const std::vector<float> shift = rows.spread(start);
      auto [sum, square] = rows.sums([&](int64_t first, int64_t count, int64_t length, float *one, float *other) {
        fused::statistics(values + first, count, length, shift.data(), one, other);
      });
      bool swallows = false;
      for (size_t c = 0; c < channels; c++) {
        const double about = sum[c] / double(rows.rows);
        mean[c] = start[c] + about;
        variance[c] = std::max(0.0, square[c] / double(rows.rows) - about * about);
        // A value that is no number is to be seen in the result.
        if (!std::isfinite(square[c])) variance[c] = std::numeric_limits<double>::quiet_NaN();
        swallows = swallows || about * about > 100 * variance[c];
      }
      return swallows;
    };
    // The first value lies far from all others: once more, about the mean.
    if (measure()) {
      std::transform(mean.begin(), mean.end(), start.begin(), [](double value) { return double(float(value)); });
      measure();
    }
    const std::vector<double> gamma = doubles(weight), beta = doubles(bias);
    std::vector<double> inverse(channels), factor(channels), offset(channels);
    for (size_t c = 0; c < channels; c++) {
      inverse[c] = 1 / std::sqrt(variance[c] + epsilon);
      factor[c] = gamma[c] * inverse[c];
      offset[c] = beta[c] - mean[c] * factor[c];
    }
    if (running_mean) {
      const double unbiased = double(rows.rows) / double(std::max<int64_t>(1, rows.rows - 1));
      std::vector<double> corrected(variance);
      for (double &value : corrected) value *= unbiased;
      running_mean->mul_(1 - momentum).add_(tensor_of(mean), momentum);
      running_variance->mul_(1 - momentum).add_(tensor_of(corrected), momentum);
    }
    const at::Tensor added = residual ? laid_out(*residual) : at::Tensor();
    const at::Tensor y = at::empty_like(x);
    const std::vector<float> factors = rows.spread(factor), offsets = rows.spread(offset);
    const float *other = added.defined() ? floats(added) : nullptr;
    float *result = y.data_ptr<float>();
    rows.each([&](int64_t first, int64_t count, int64_t length, int64_t) {
      fused::apply(values + first, other ? other + first : nullptr, result + first, count, length, factors.data(),
                   offsets.data(), int(activation));
    });
    // Of a sum what went into the activation cannot be computed again; its result tells as much. The factors are kept as they were used,
    // so that what is computed again is the same to the bit.
    const bool keeps_result = residual && (activation == fused::relu || activation == fused::relu6);
    context->save_for_backward({x, tensor_of(mean), tensor_of(inverse), tensor_of(factor), tensor_of(offset),
                                keeps_result ? y : at::Tensor()});
    context->saved_data["activation"] = activation;
    context->saved_data["residual"] = residual.has_value();
    return y;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    RECORD_FUNCTION("width_transfer::norm_backward",
                    std::vector<c10::IValue>({saved[0], saved[0], saved[0], gradients[0], gradients[0], saved[5], saved[5]}));
    const int activation = int(context->saved_data["activation"].toInt());
    const at::Tensor &x = saved[0];
    const at::Tensor dy = laid_out(gradients[0]);
    const Rows rows(x);
    const auto channels = static_cast<size_t>(rows.channels);
    const std::vector<double> mean = doubles(saved[1]), inverse = doubles(saved[2]), factor = doubles(saved[3]),
                              offset = doubles(saved[4]);
    const std::vector<float> means = rows.spread(mean), factors = rows.spread(factor), offsets = rows.spread(offset);
    const float *in = floats(x), *back = floats(dy);
    const float *out = saved[5].defined() ? floats(saved[5]) : nullptr;
    const auto results = [&](int64_t first) { return out ? out + first : nullptr; };
    // For SiLU the first pass leaves there what the second one starts from.
    at::Tensor dx = at::empty_like(x);
    float *to = dx.data_ptr<float>();
    auto [sum, product] = rows.sums([&](int64_t first, int64_t count, int64_t length, float *one, float *other) {
      fused::reduce(in + first, results(first), back + first, to + first, count, length, means.data(), factors.data(),
                    offsets.data(), activation, one, other);
    });
    std::vector<double> dgamma(channels), slope(channels), constant(channels);
    for (size_t c = 0; c < channels; c++) {
      dgamma[c] = product[c] * inverse[c];
      const double tilt = product[c] * inverse[c] * inverse[c] / double(rows.rows);
      slope[c] = -factor[c] * tilt;
      constant[c] = factor[c] * (tilt * mean[c] - sum[c] / double(rows.rows));
    }
    const bool has_residual = context->saved_data["residual"].toBool();
    if (!context->needs_input_grad(0) && !(has_residual && context->needs_input_grad(3))) {
      return {at::Tensor(), tensor_of(dgamma), tensor_of(sum), at::Tensor(), {}, {}, {}, {}, {}};
    }
    const at::Tensor dresidual = has_residual ? at::empty_like(x) : at::Tensor();
    const std::vector<float> slopes = rows.spread(slope), constants = rows.spread(constant);
    float *beside = has_residual ? dresidual.data_ptr<float>() : nullptr;
    rows.each([&](int64_t first, int64_t count, int64_t length, int64_t) {
      if (activation == fused::silu) {
        fused::finish(in + first, to + first, count, length, factors.data(), slopes.data(), constants.data());
        return;
      }
      fused::differentiate(in + first, results(first), back + first, to + first, beside ? beside + first : nullptr, count,
                           length, factors.data(), offsets.data(), slopes.data(), constants.data(), activation);
    });
    return {dx, tensor_of(dgamma), tensor_of(sum), dresidual, {}, {}, {}, {}, {}};
  }
};

// In place where the derivative does without what is overwritten.
at::Tensor activate(at::Tensor value, int activation) {
  switch (activation) {
    case fused::relu: return at::relu_(value);
    case fused::relu6: return at::hardtanh_(value, 0, 6);
    case fused::hard_swish: return at::hardswish(value);
    case fused::silu: return at::silu(value);
    default: return value;
  }
}

// Others are for LibTorch to refuse, or to compute.
bool is_parameter(const at::Tensor &tensor, const at::Tensor &input) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.numel() == input.size(1);
}

bool is_fusible(const at::Tensor &input, const std::optional<at::Tensor> &residual) {
  const auto fits = [](const at::Tensor &tensor) {
    return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.numel() > 0 && (tensor.dim() == 4 || tensor.dim() == 2);
  };
  // A single row has no deviation; LibTorch says so.
  return fits(input) && input.numel() > input.size(1) && (!residual || (fits(*residual) && residual->sizes() == input.sizes()));
}

}  // namespace
}  // namespace ctorch

using namespace ctorch;

ct_tensor ct_fused_norm(ct_tensor input, ct_tensor weight, ct_tensor bias, ct_tensor residual, ct_tensor running_mean,
                        ct_tensor running_variance, double momentum, double epsilon, int activation) {
  return tensor([&] {
    const std::optional<at::Tensor> added = optional(residual);
    // The derivatives of hard swish and SiLU need what went into them, which is not kept where something was added.
    const bool is_known = !(added && (activation == fused::hard_swish || activation == fused::silu));
    if (is_known && is_fusible(input->value, added) && is_parameter(weight->value, input->value) &&
        is_parameter(bias->value, input->value)) {
      return FusedNorm::apply(input->value, weight->value, bias->value, added, optional(running_mean),
                              optional(running_variance), momentum, epsilon, int64_t(activation));
    }
    at::Tensor result = at::batch_norm(input->value, weight->value, bias->value, optional(running_mean),
                                       optional(running_variance), true, momentum, epsilon, true);
    if (added) result = result.scalar_type() == added->scalar_type() ? result.add_(*added) : result + *added;
    return activate(result, activation);
  });
}
