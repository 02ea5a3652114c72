#include <torch/csrc/autograd/autograd.h>

#include <cstring>

#include "Internal.h"

using namespace ctorch;

ct_tensor ct_empty(const int64_t *shape, int dims, int scalar_type, int device_type, int device_index) {
  return tensor([&] { return at::empty(array(shape, dims), options(scalar_type, device_type, device_index)); });
}

ct_tensor ct_full(const int64_t *shape, int dims, double value, int scalar_type, int device_type, int device_index) {
  return tensor([&] { return at::full(array(shape, dims), value, options(scalar_type, device_type, device_index)); });
}

ct_tensor ct_from_bytes(const void *bytes, size_t count, const int64_t *shape, int dims, int scalar_type,
                        int device_type, int device_index) {
  return tensor([&] {
    auto host = at::empty(array(shape, dims), at::TensorOptions().dtype(static_cast<at::ScalarType>(scalar_type)));
    TORCH_CHECK(host.nbytes() == count, "a tensor of ", host.nbytes(), " bytes cannot be made from ", count, " bytes");
    if (count > 0) std::memcpy(host.data_ptr(), bytes, count);
    auto target = device(device_type, device_index);
    return target.is_cpu() ? host : host.to(target);
  });
}

ct_tensor ct_from_channels_last_bytes(const void *bytes, size_t count, const int64_t *shape, int scalar_type) {
  return tensor([&] {
    auto host = at::empty(array(shape, 4), at::TensorOptions()
                                               .dtype(static_cast<at::ScalarType>(scalar_type))
                                               .memory_format(at::MemoryFormat::ChannelsLast));
    TORCH_CHECK(host.nbytes() == count, "a tensor of ", host.nbytes(), " bytes cannot be made from ", count, " bytes");
    if (count > 0) std::memcpy(host.data_ptr(), bytes, count);
    return host;
  });
}

ct_tensor ct_same_tensor(ct_tensor t) {
  return tensor([&] { return t->value; });
}

void ct_tensor_free(ct_tensor t) { delete t; }

int ct_dims(ct_tensor t) { return static_cast<int>(t->value.dim()); }

void ct_sizes(ct_tensor t, int64_t *out) {
  for (auto size : t->value.sizes()) *out++ = size;
}

void ct_strides(ct_tensor t, int64_t *out) {
  for (auto stride : t->value.strides()) *out++ = stride;
}

int64_t ct_numel(ct_tensor t) { return t->value.numel(); }
int ct_scalar_type(ct_tensor t) { return static_cast<int>(t->value.scalar_type()); }
int ct_device_type(ct_tensor t) { return static_cast<int>(t->value.device().type()); }
int ct_device_index(ct_tensor t) { return t->value.device().has_index() ? t->value.device().index() : 0; }

bool ct_is_contiguous(ct_tensor t, int memory_format) {
  return guarded<bool>(false, [&] { return t->value.is_contiguous(static_cast<at::MemoryFormat>(memory_format)); });
}

int ct_item_double(ct_tensor t, double *out) {
  return status([&] { *out = t->value.item().toDouble(); });
}

int ct_item_int(ct_tensor t, int64_t *out) {
  return status([&] { *out = t->value.item().toLong(); });
}

int ct_copy_to_bytes(ct_tensor t, void *out, size_t count) {
  return status([&] {
    auto host = t->value.detach().to(at::kCPU).contiguous();
    TORCH_CHECK(host.nbytes() == count, "a tensor of ", host.nbytes(), " bytes does not fit ", count, " bytes");
    if (count > 0) std::memcpy(out, host.data_ptr(), count);
  });
}

const void *ct_data(ct_tensor t) {
  if (!t->value.device().is_cpu() || !t->value.is_contiguous()) return nullptr;
  return guarded<const void *>(nullptr, [&]() -> const void * { return t->value.const_data_ptr(); });
}

ct_tensor ct_to(ct_tensor t, int scalar_type, int device_type, int device_index, int memory_format, bool non_blocking,
                bool copy) {
  return tensor([&] {
    auto type = scalar_type < 0 ? t->value.scalar_type() : static_cast<at::ScalarType>(scalar_type);
    auto target = device_type < 0 ? t->value.device() : device(device_type, device_index);
    std::optional<at::MemoryFormat> format;
    if (memory_format >= 0) format = static_cast<at::MemoryFormat>(memory_format);
    return t->value.to(target, type, non_blocking, copy, format);
  });
}

ct_tensor ct_contiguous(ct_tensor t, int memory_format) {
  return tensor([&] { return t->value.contiguous(static_cast<at::MemoryFormat>(memory_format)); });
}

int ct_copy_(ct_tensor destination, ct_tensor source, bool non_blocking) {
  return status([&] { destination->value.copy_(source->value, non_blocking); });
}

ct_tensor ct_clone(ct_tensor t) {
  return tensor([&] { return t->value.clone(); });
}

ct_tensor ct_zeros_like(ct_tensor t) {
  return tensor([&] { return at::zeros_like(t->value); });
}

int ct_fill_(ct_tensor t, double value) {
  return status([&] { t->value.fill_(value); });
}

// MARK: Autograd

int ct_set_requires_grad(ct_tensor t, bool requires_grad) {
  return status([&] { t->value.requires_grad_(requires_grad); });
}

bool ct_requires_grad(ct_tensor t) { return t->value.requires_grad(); }

ct_tensor ct_detach(ct_tensor t) {
  return tensor([&] { return t->value.detach(); });
}

ct_tensor ct_grad(ct_tensor t) {
  set_error("");
  return guarded<ct_tensor>(nullptr, [&]() -> ct_tensor {
    auto grad = t->value.grad();
    return grad.defined() ? wrap(grad) : nullptr;
  });
}

int ct_set_grad(ct_tensor t, ct_tensor grad) {
  return status([&] { t->value.mutable_grad() = grad ? grad->value : at::Tensor(); });
}

int ct_clear_grads(const ct_tensor *tensors, size_t count) {
  return status([&] {
    for (size_t i = 0; i < count; i++) tensors[i]->value.mutable_grad() = at::Tensor();
  });
}

int ct_backward(ct_tensor t, ct_tensor grad) {
  return status([&] { torch::autograd::backward({t->value}, grad ? std::vector<at::Tensor>{grad->value} : std::vector<at::Tensor>{}); });
}

int ct_gradients(ct_tensor output, ct_tensor grad_output, const ct_tensor *inputs, size_t count, ct_tensor *out) {
  return status([&] {
    std::vector<at::Tensor> seeds;
    if (grad_output) seeds.push_back(grad_output->value);
    auto gradients = torch::autograd::grad({output->value}, list(inputs, count), seeds, std::nullopt, false, true);
    for (size_t i = 0; i < count; i++) out[i] = gradients[i].defined() ? wrap(gradients[i]) : nullptr;
  });
}
