#pragma once

#include <ATen/ATen.h>
#include <ATen/core/Generator.h>

#include <string>
#include <vector>

#include "CTorch.h"

struct ct_tensor_s {
  at::Tensor value;
};

struct ct_generator_s {
  at::Generator value;
};

namespace ctorch {

void set_error(const char *message) noexcept;

inline ct_tensor wrap(at::Tensor value) { return new ct_tensor_s{std::move(value)}; }

inline std::optional<at::Tensor> optional(ct_tensor t) {
  return t ? std::optional<at::Tensor>(t->value) : std::nullopt;
}

inline at::IntArrayRef array(const int64_t *values, int count) {
  return at::IntArrayRef(values, static_cast<size_t>(count));
}

inline std::vector<at::Tensor> list(const ct_tensor *tensors, size_t count) {
  std::vector<at::Tensor> result;
  result.reserve(count);
  for (size_t i = 0; i < count; i++) result.push_back(tensors[i]->value);
  return result;
}

inline at::Device device(int type, int index) {
  return at::Device(static_cast<at::DeviceType>(type), static_cast<c10::DeviceIndex>(index));
}

inline at::TensorOptions options(int scalar_type, int device_type, int device_index) {
  return at::TensorOptions().dtype(static_cast<at::ScalarType>(scalar_type)).device(device(device_type, device_index));
}

/// Runs `body`; an exception becomes the thread's error message and `failed`.
template <typename Result, typename Body>
Result guarded(Result failed, Body &&body) {
  try {
    return body();
  } catch (const c10::Error &error) {
    set_error(error.what_without_backtrace());
  } catch (const std::exception &error) {
    set_error(error.what());
  } catch (...) {
    set_error("unknown C++ exception");
  }
  return failed;
}

template <typename Body>
ct_tensor tensor(Body &&body) {
  return guarded<ct_tensor>(nullptr, [&] { return wrap(body()); });
}

template <typename Body>
int status(Body &&body) {
  return guarded<int>(-1, [&] {
    body();
    return 0;
  });
}

}  // namespace ctorch
