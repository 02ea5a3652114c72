#pragma once

#include <cstdint>

// The passes of a fused batch normalization over rows of channels, `count` periods of `length` floats at a time.
//
// A period is some rows in a row, so many that vectors fill it whatever the number of channels is; what belongs to a channel (means,
// factors) is given for every float of a period.
namespace ctorch::fused {

enum Activation : int { none = 0, relu = 1, relu6 = 2, hard_swish = 3, silu = 4 };

/// Adds x − shift and its square to `sum` and `square`.
void statistics(const float *x, int64_t count, int64_t length, const float *shift, float *sum, float *square);

/// y = activation(x · factor + offset + residual); no residual where it is null.
void apply(const float *x, const float *residual, float *y, int64_t count, int64_t length, const float *factor,
           const float *offset, int activation);

/// With g the derivative of what goes into the activation: adds g to `sum` and g · (x − mean) to `product`.
///
/// `y` is the result; where it is null, which it must be for hard swish and SiLU, what went into the activation is computed again as
/// x · factor + offset. For SiLU g is written to `kept`: computing it once more costs more than reading it.
void reduce(const float *x, const float *y, const float *dy, float *kept, int64_t count, int64_t length, const float *mean,
            const float *factor, const float *offset, int activation, float *sum, float *product);

/// dx = factor · g + x · slope + constant, and g itself where `dresidual` is not null. Not for SiLU.
void differentiate(const float *x, const float *y, const float *dy, float *dx, float *dresidual, int64_t count,
                   int64_t length, const float *factor, const float *offset, const float *slope, const float *constant,
                   int activation);

/// The same where `dx` holds g.
void finish(const float *x, float *dx, int64_t count, int64_t length, const float *factor, const float *slope,
            const float *constant);

}  // namespace ctorch::fused
