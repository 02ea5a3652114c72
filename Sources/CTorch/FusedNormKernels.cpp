#include "FusedNormKernels.h"

#include <bit>

// Written as plain loops over arrays of a fixed length, which the compiler turns into vectors, for each of the instruction sets that
// processors have; the loader takes the one that fits.
#if defined(__x86_64__) && defined(__clang__) && defined(__linux__)
#define EVERY_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EVERY_PROCESSOR
#endif
#define INLINE static inline __attribute__((always_inline))

namespace ctorch::fused {

namespace {

// Floats that are summed side by side in registers.
constexpr int lanes = 32;
// The longest period that is summed so: of longer ones a column is read in strides that no processor foresees, and sums in the first cache
// cost less.
constexpr int widest = 64;

// 1 / (1 + e^−value) by additions, multiplications and one division, which become vectors; within two units of the last place. e^t is
// 2^n · e^r, n a whole number, |r| at most ln 2 / 2; the polynomial is Cephes' (expf, Moshier).
INLINE float sigmoid(float value) {
  float t = -value;
  t = t > 87.0f ? 87.0f : t;
  t = t < -87.0f ? -87.0f : t;
  // Added to a float, it leaves no places behind the point; what was added last stands in the lowest bits.
  const float whole = 12582912.0f;
  const float shifted = t * 1.44269504088896341f + whole;
  const float n = shifted - whole;
  const float r = (t - n * 0.693359375f) + n * 2.12194440e-4f;
  float e = 1.9875691500e-4f;
  e = e * r + 1.3981999507e-3f;
  e = e * r + 8.3334519073e-3f;
  e = e * r + 4.1665795894e-2f;
  e = e * r + 1.6666665459e-1f;
  e = e * r + 5.0000001201e-1f;
  e = e * r * r + r + 1.0f;
  const uint32_t exponent = (std::bit_cast<uint32_t>(shifted) << 23) + std::bit_cast<uint32_t>(1.0f);
  return 1.0f / (1.0f + e * std::bit_cast<float>(exponent));
}

template <int activation>
INLINE float activated(float value) {
  // Of what is no number the comparisons say no, and it stays.
  if (activation == relu) return value < 0 ? 0 : value;
  if (activation == relu6) {
    const float low = value < 0 ? 0 : value;
    return low > 6 ? 6 : low;
  }
  if (activation == hard_swish) {
    float gate = value + 3;
    gate = gate > 0 ? gate : 0;
    gate = gate < 6 ? gate : 6;
    return value * gate * (1.0f / 6);
  }
  if (activation == silu) return value * sigmoid(value);
  return value;
}

// The derivative of the activation times what comes from behind it. `value` is what went into the activation, for ReLU and ReLU6 its
// result does as well.
template <int activation>
INLINE float derived(float value, float dy) {
  if (activation == relu) return value > 0 ? dy : 0;
  if (activation == relu6) return value > 0 && value < 6 ? dy : 0;
  if (activation == hard_swish) {
    float slope = value * (1.0f / 3) + 0.5f;
    slope = value > -3 ? slope : 0;
    slope = value < 3 ? slope : 1;
    return dy * slope;
  }
  if (activation == silu) {
    const float gate = sigmoid(value);
    return dy * (gate * (1.0f + value * (1.0f - gate)));
  }
  return dy;
}

// Without results, what went into the activation is computed again: one multiplication is less than reading a result.
template <int activation, bool has_results>
INLINE float gradient(const float *__restrict x, const float *__restrict y, const float *__restrict dy, int64_t at,
                      const float *__restrict factor, const float *__restrict offset, int64_t j) {
  if (activation == none) return dy[at];
  return derived<activation>(has_results ? y[at] : x[at] * factor[j] + offset[j], dy[at]);
}

template <int activation>
INLINE void apply_all(const float *__restrict x, const float *__restrict residual, float *__restrict y, int64_t count,
                      int64_t length, const float *__restrict factor, const float *__restrict offset) {
  for (int64_t i = 0; i < count; i++) {
    const int64_t row = i * length;
    if (residual) {
      for (int64_t j = 0; j < length; j++) {
        y[row + j] = activated<activation>(x[row + j] * factor[j] + offset[j] + residual[row + j]);
      }
    } else {
      for (int64_t j = 0; j < length; j++) y[row + j] = activated<activation>(x[row + j] * factor[j] + offset[j]);
    }
  }
}

template <int activation, bool has_results, bool keeps>
INLINE void reduce_all(const float *__restrict x, const float *__restrict y, const float *__restrict dy,
                       float *__restrict kept, int64_t count, int64_t length, const float *__restrict mean,
                       const float *__restrict factor, const float *__restrict offset, float *__restrict sum,
                       float *__restrict product) {
  if (length % lanes == 0 && length <= widest) {
    for (int64_t start = 0; start < length; start += lanes) {
      float sums[lanes] = {}, products[lanes] = {};
      for (int64_t i = 0; i < count; i++) {
        for (int k = 0; k < lanes; k++) {
          const int64_t j = start + k, at = i * length + j;
          const float g = gradient<activation, has_results>(x, y, dy, at, factor, offset, j);
          if (keeps) kept[at] = g;
          sums[k] += g;
          products[k] += g * (x[at] - mean[j]);
        }
      }
      for (int k = 0; k < lanes; k++) {
        sum[start + k] += sums[k];
        product[start + k] += products[k];
      }
    }
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    for (int64_t j = 0; j < length; j++) {
      const int64_t at = i * length + j;
      const float g = gradient<activation, has_results>(x, y, dy, at, factor, offset, j);
      if (keeps) kept[at] = g;
      sum[j] += g;
      product[j] += g * (x[at] - mean[j]);
    }
  }
}

template <int activation, bool has_results>
INLINE void differentiate_all(const float *__restrict x, const float *__restrict y, const float *__restrict dy,
                              float *__restrict dx, float *__restrict dresidual, int64_t count, int64_t length,
                              const float *__restrict factor, const float *__restrict offset,
                              const float *__restrict slope, const float *__restrict constant) {
  for (int64_t i = 0; i < count; i++) {
    if (dresidual) {
      for (int64_t j = 0; j < length; j++) {
        const int64_t at = i * length + j;
        const float g = gradient<activation, has_results>(x, y, dy, at, factor, offset, j);
        dresidual[at] = g;
        dx[at] = factor[j] * g + (x[at] * slope[j] + constant[j]);
      }
    } else {
      for (int64_t j = 0; j < length; j++) {
        const int64_t at = i * length + j;
        const float g = gradient<activation, has_results>(x, y, dy, at, factor, offset, j);
        dx[at] = factor[j] * g + (x[at] * slope[j] + constant[j]);
      }
    }
  }
}

}  // namespace

EVERY_PROCESSOR
void statistics(const float *__restrict x, int64_t count, int64_t length, const float *__restrict shift,
                float *__restrict sum, float *__restrict square) {
  if (length % lanes == 0 && length <= widest) {
    for (int64_t start = 0; start < length; start += lanes) {
      float sums[lanes] = {}, squares[lanes] = {};
      for (int64_t i = 0; i < count; i++) {
        for (int k = 0; k < lanes; k++) {
          const float value = x[i * length + start + k] - shift[start + k];
          sums[k] += value;
          squares[k] += value * value;
        }
      }
      for (int k = 0; k < lanes; k++) {
        sum[start + k] += sums[k];
        square[start + k] += squares[k];
      }
    }
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    for (int64_t j = 0; j < length; j++) {
      const float value = x[i * length + j] - shift[j];
      sum[j] += value;
      square[j] += value * value;
    }
  }
}

EVERY_PROCESSOR
void apply(const float *x, const float *residual, float *y, int64_t count, int64_t length, const float *factor,
           const float *offset, int activation) {
  switch (activation) {
    case relu: return apply_all<relu>(x, residual, y, count, length, factor, offset);
    case relu6: return apply_all<relu6>(x, residual, y, count, length, factor, offset);
    case hard_swish: return apply_all<hard_swish>(x, residual, y, count, length, factor, offset);
    case silu: return apply_all<silu>(x, residual, y, count, length, factor, offset);
    default: return apply_all<none>(x, residual, y, count, length, factor, offset);
  }
}

EVERY_PROCESSOR
void reduce(const float *x, const float *y, const float *dy, float *kept, int64_t count, int64_t length, const float *mean,
            const float *factor, const float *offset, int activation, float *sum, float *product) {
  switch (activation) {
    case relu:
      if (y) return reduce_all<relu, true, false>(x, y, dy, kept, count, length, mean, factor, offset, sum, product);
      return reduce_all<relu, false, false>(x, y, dy, kept, count, length, mean, factor, offset, sum, product);
    case relu6:
      if (y) return reduce_all<relu6, true, false>(x, y, dy, kept, count, length, mean, factor, offset, sum, product);
      return reduce_all<relu6, false, false>(x, y, dy, kept, count, length, mean, factor, offset, sum, product);
    case hard_swish:
      return reduce_all<hard_swish, false, false>(x, y, dy, kept, count, length, mean, factor, offset, sum, product);
    case silu: return reduce_all<silu, false, true>(x, y, dy, kept, count, length, mean, factor, offset, sum, product);
    default: return reduce_all<none, false, false>(x, y, dy, kept, count, length, mean, factor, offset, sum, product);
  }
}

EVERY_PROCESSOR
void differentiate(const float *x, const float *y, const float *dy, float *dx, float *dresidual, int64_t count,
                   int64_t length, const float *factor, const float *offset, const float *slope, const float *constant,
                   int activation) {
  switch (activation) {
    case relu:
      if (y) return differentiate_all<relu, true>(x, y, dy, dx, dresidual, count, length, factor, offset, slope, constant);
      return differentiate_all<relu, false>(x, y, dy, dx, dresidual, count, length, factor, offset, slope, constant);
    case relu6:
      if (y) return differentiate_all<relu6, true>(x, y, dy, dx, dresidual, count, length, factor, offset, slope, constant);
      return differentiate_all<relu6, false>(x, y, dy, dx, dresidual, count, length, factor, offset, slope, constant);
    case hard_swish:
      return differentiate_all<hard_swish, false>(x, y, dy, dx, dresidual, count, length, factor, offset, slope, constant);
    default:
      return differentiate_all<none, false>(x, y, dy, dx, dresidual, count, length, factor, offset, slope, constant);
  }
}

EVERY_PROCESSOR
void finish(const float *__restrict x, float *__restrict dx, int64_t count, int64_t length, const float *__restrict factor,
            const float *__restrict slope, const float *__restrict constant) {
  for (int64_t i = 0; i < count; i++) {
    for (int64_t j = 0; j < length; j++) {
      const int64_t at = i * length + j;
      dx[at] = factor[j] * dx[at] + (x[at] * slope[j] + constant[j]);
    }
  }
}

}  // namespace ctorch::fused
