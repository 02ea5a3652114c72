#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "Internal.h"

namespace ctorch {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Mixed precision as it was, for the second run.
struct Autocast {
  at::DeviceType device;
  bool is_enabled, caches;
  at::ScalarType type;

  explicit Autocast(at::DeviceType of)
      : device(of),
        is_enabled(at::autocast::is_autocast_enabled(of)),
        caches(at::autocast::is_autocast_cache_enabled()),
        type(at::autocast::get_autocast_dtype(of)) {}

  void apply() const {
    at::autocast::set_autocast_enabled(device, is_enabled);
    at::autocast::set_autocast_dtype(device, type);
    at::autocast::set_autocast_cache_enabled(caches);
  }
};

// Puts mixed precision back on leaving.
struct AutocastGuard {
  Autocast former;
  explicit AutocastGuard(at::DeviceType device) : former(device) {}
  ~AutocastGuard() { former.apply(); }
};

struct Part : torch::CustomClassHolder {
  ct_part run;
  void *context;
  void (*release)(void *context);
  size_t input_count;
  at::Generator generator;
  // The generator's state before the first run.
  at::Tensor state;

  Part(ct_part run, void *context, void (*release)(void *context), size_t input_count, at::Generator generator)
      : run(run), context(context), release(release), input_count(input_count), generator(std::move(generator)) {}
  Part(const Part &) = delete;
  ~Part() override { release(context); }

  at::Tensor operator()(const variable_list &inputs, bool again) const {
    std::vector<ct_tensor> handles;
    for (size_t i = 0; i < input_count; i++) handles.push_back(wrap(inputs[i]));
    const ct_tensor result = run(context, handles.data(), handles.size(), again);
    if (!result) throw std::runtime_error(ct_last_error());
    at::Tensor value = std::move(result->value);
    ct_tensor_free(result);
    return value;
  }
};

struct Recomputed : public torch::autograd::Function<Recomputed> {
  static at::Tensor forward(AutogradContext *context, at::TensorList tensors, const c10::intrusive_ptr<Part> &part) {
    const variable_list given = tensors.vec();
    const AutocastGuard guard(given[0].device().type());
    if (part->generator.defined()) part->state = part->generator.get_state();
    // What is cast without a graph must not be taken for later.
    at::autocast::set_autocast_cache_enabled(false);
    const at::Tensor result = (*part)(given, false);
    context->save_for_backward(given);
    context->saved_data["part"] = c10::IValue::make_capsule(part);
    context->saved_data["autocast"] = guard.former.is_enabled;
    context->saved_data["type"] = int64_t(guard.former.type);
    return result;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const variable_list given = context->get_saved_variables();
    const auto part = c10::static_intrusive_pointer_cast<Part>(context->saved_data["part"].toCapsule());
    variable_list inputs = given;
    for (size_t i = 0; i < part->input_count; i++) inputs[i] = given[i].detach().requires_grad_(given[i].requires_grad());
    variable_list wanted;
    for (const at::Tensor &tensor : inputs) {
      if (tensor.requires_grad()) wanted.push_back(tensor);
    }
    at::Tensor state;
    if (part->generator.defined()) {
      state = part->generator.get_state();
      part->generator.set_state(part->state);
    }
    at::Tensor result;
    {
      const at::AutoGradMode records(true);
      const AutocastGuard guard(inputs[0].device().type());
      Autocast then = guard.former;
      then.is_enabled = context->saved_data["autocast"].toBool();
      then.type = static_cast<at::ScalarType>(context->saved_data["type"].toInt());
      then.caches = false;
      then.apply();
      result = (*part)(inputs, true);
    }
    if (state.defined()) part->generator.set_state(state);
    const variable_list found = torch::autograd::grad({result}, wanted, {gradients[0]}, /*retain_graph=*/std::nullopt,
                                                      /*create_graph=*/false, /*allow_unused=*/true);
    // One for each tensor, and none for the part.
    variable_list results(inputs.size() + 1);
    size_t next = 0;
    for (size_t i = 0; i < inputs.size(); i++) {
      if (inputs[i].requires_grad()) results[i] = found[next++];
    }
    return results;
  }
};

}  // namespace
}  // namespace ctorch

using namespace ctorch;

ct_tensor ct_recomputed(const ct_tensor *inputs, size_t input_count, const ct_tensor *leaves, size_t leaf_count,
                        ct_generator generator, ct_part part, void *context, void (*release)(void *context)) {
  return tensor([&] {
    const auto held = c10::make_intrusive<Part>(part, context, release, input_count, generator ? generator->value : at::Generator());
    TORCH_CHECK(input_count > 0, "a part without inputs");
    std::vector<at::Tensor> tensors = list(inputs, input_count);
    for (const at::Tensor &leaf : list(leaves, leaf_count)) tensors.push_back(leaf);
    return Recomputed::apply(at::TensorList(tensors), held);
  });
}
