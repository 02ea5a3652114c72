#include <c10/core/GradMode.h>

#include <map>

#include "Internal.h"

using namespace ctorch;

namespace {

/// The fused kernels walk the storage of parameter and gradient side by side, so both must be laid out alike.
bool same_layout(const at::Tensor &a, const at::Tensor &b) {
  for (int64_t i = 0; i < a.dim(); i++) {
    if (a.size(i) > 1 && a.stride(i) != b.stride(i)) return false;
  }
  return true;
}

at::Tensor gradient_of(const at::Tensor &parameter) {
  auto grad = parameter.grad();
  if (!grad.defined() || same_layout(parameter, grad)) return grad;
  return at::empty_like(parameter).copy_(grad);
}

struct Group {
  std::vector<at::Tensor> parameters, gradients, first, second, steps;
};

}  // namespace

int ct_clip_gradients(const ct_tensor *parameters, size_t count, double max_norm, ct_tensor scale) {
  return status([&] {
    c10::NoGradGuard no_grad;
    std::vector<at::Tensor> gradients;
    for (size_t i = 0; i < count; i++) {
      if (auto grad = parameters[i]->value.grad(); grad.defined()) gradients.push_back(grad);
    }
    if (gradients.empty()) return;
    auto norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)));
    if (scale) norm = norm / scale->value;
    at::_foreach_mul_(gradients, at::clamp_max(max_norm / (norm + 1e-6), 1));
  });
}

int ct_sgd_step(const ct_tensor *parameters, const ct_tensor *momenta, const double *weight_decays, size_t count,
                double learning_rate, double momentum, bool nesterov, ct_tensor scale, ct_tensor found_infinite) {
  return status([&] {
    c10::NoGradGuard no_grad;
    std::map<double, Group> groups;
    for (size_t i = 0; i < count; i++) {
      auto grad = gradient_of(parameters[i]->value);
      if (!grad.defined()) continue;
      auto &group = groups[weight_decays[i]];
      group.parameters.push_back(parameters[i]->value);
      group.gradients.push_back(grad);
      // The kernel insists on an empty list when there is no momentum.
      if (momentum != 0) group.first.push_back(momenta[i]->value);
    }
    for (auto &[decay, group] : groups) {
      // Momentum buffers start at zero with no dampening: the first step then equals torch.optim.SGD's.
      at::_fused_sgd_(group.parameters, group.gradients, group.first, decay, momentum, learning_rate, 0.0, nesterov,
                      false, false, optional(scale), optional(found_infinite));
    }
  });
}

int ct_adam_step(const ct_tensor *parameters, const ct_tensor *first_moments, const ct_tensor *second_moments,
                 const ct_tensor *steps, const double *weight_decays, size_t count, double learning_rate, double beta1,
                 double beta2, double epsilon, bool decoupled, ct_tensor scale, ct_tensor found_infinite) {
  return status([&] {
    c10::NoGradGuard no_grad;
    std::map<double, Group> groups;
    for (size_t i = 0; i < count; i++) {
      auto grad = gradient_of(parameters[i]->value);
      if (!grad.defined()) continue;
      auto &group = groups[weight_decays[i]];
      group.parameters.push_back(parameters[i]->value);
      group.gradients.push_back(grad);
      group.first.push_back(first_moments[i]->value);
      group.second.push_back(second_moments[i]->value);
      group.steps.push_back(steps[i]->value);
    }
    for (auto &[decay, group] : groups) {
      at::_foreach_add_(group.steps, 1);
      // A step that is left out for its overflow does not count.
      if (found_infinite) {
        at::_foreach_sub_(group.steps, std::vector<at::Tensor>(group.steps.size(), found_infinite->value));
      }
      if (decoupled) {
        at::_fused_adamw_(group.parameters, group.gradients, group.first, group.second, {}, group.steps, learning_rate,
                          beta1, beta2, decay, epsilon, false, false, optional(scale), optional(found_infinite));
      } else {
        at::_fused_adam_(group.parameters, group.gradients, group.first, group.second, {}, group.steps, learning_rate,
                         beta1, beta2, decay, epsilon, false, false, optional(scale), optional(found_infinite));
      }
    }
  });
}

int ct_average_step(const ct_tensor *averages, const ct_tensor *values, size_t count, double decay) {
  return status([&] {
    c10::NoGradGuard no_grad;
    at::_foreach_lerp_(list(averages, count), list(values, count), 1 - decay);
  });
}

int ct_check_gradients(const ct_tensor *parameters, size_t count, ct_tensor scale, ct_tensor found_infinite) {
  return status([&] {
    c10::NoGradGuard no_grad;
    found_infinite->value.zero_();
    std::vector<at::Tensor> gradients;
    for (size_t i = 0; i < count; i++) {
      auto grad = parameters[i]->value.grad();
      if (grad.defined()) gradients.push_back(grad);
    }
    if (gradients.empty()) return;
    // Unscaling by one only looks for non-finite values: the fused steps divide by the scale themselves.
    auto one = at::ones_like(scale->value);
    at::_amp_foreach_non_finite_check_and_unscale_(gradients, found_infinite->value, one);
  });
}

int ct_update_scale(ct_tensor scale, ct_tensor growth_tracker, ct_tensor found_infinite, double growth, double backoff,
                    int64_t interval) {
  return status([&] {
    c10::NoGradGuard no_grad;
    at::_amp_update_scale_(scale->value, growth_tracker->value, found_infinite->value, growth, backoff, interval);
  });
}
