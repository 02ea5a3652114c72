#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <torch/csrc/api/include/torch/version.h>

#include <cstdlib>
#include <mutex>

#include "Internal.h"
#include "KeptMemory.h"

namespace ctorch {
static thread_local std::string last_error;
void set_error(const char *message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    // Memory is out: this fits the string's own storage and is what the Swift side looks for.
    last_error.assign("bad_alloc");
  }
}
}  // namespace ctorch

using namespace ctorch;

// oneDNN compiles a kernel for each pass and shape of a convolution and keeps 1,024. A search draws sub-networks of ever other widths,
// some hundred shapes a step, so that few were found again and up to half of a small search went into compiling
// (docs/results/search-reduction.md). A kernel takes some 20 kB. oneDNN reads this at the first convolution; it is said while the program is
// loaded, when there are no other threads yet. A user's own number stays.
__attribute__((constructor)) static void keep_kernels() {
  if (!getenv("DNNL_PRIMITIVE_CACHE_CAPACITY")) setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16384", 0);
}

void ct_set_error(const char *message) { set_error(message); }

const char *ct_last_error(void) { return last_error.c_str(); }

const char *ct_built_version(void) { return TORCH_VERSION; }

const char *ct_version(void) {
  // The library itself says its version only among the settings it was built with.
  static const std::string version = [] {
    const std::string name = "TORCH_VERSION=", settings = at::show_config();
    const auto start = settings.find(name);
    if (start == std::string::npos) return std::string(TORCH_VERSION);
    const auto first = start + name.size();
    return settings.substr(first, settings.find_first_of(", \n", first) - first);
  }();
  return version.c_str();
}

int ct_set_threads(int count) {
  return status([&] { at::set_num_threads(count); });
}

int ct_threads(void) { return at::get_num_threads(); }

int ct_load_cuda(void) {
  static std::mutex mutex;
  static bool opened = false;
  return status([&] {
    std::lock_guard<std::mutex> lock(mutex);
    // The linker would drop a library that no symbol names, so one binary serves CPU and CUDA by opening it here.
    // Before the first question about CUDA: LibTorch answers it once and for all.
    if (!opened) TORCH_CHECK(dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL), dlerror());
    opened = true;
    TORCH_CHECK(at::hasCUDA(), "LibTorch finds no usable CUDA device");
    at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
  });
}

int ct_cuda_device_count(void) {
  return guarded<int>(0, [&]() -> int {
    if (!at::hasCUDA()) return 0;
    return c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA).deviceCount();
  });
}

int ct_synchronize(int device_type, int device_index) {
  return status([&] {
    if (static_cast<c10::DeviceType>(device_type) == c10::DeviceType::CPU) return;
    c10::impl::VirtualGuardImpl(static_cast<c10::DeviceType>(device_type))
        .synchronizeDevice(static_cast<c10::DeviceIndex>(device_index));
  });
}

int ct_set_deterministic(bool deterministic) {
  return status([&] {
    at::globalContext().setDeterministicCuDNN(deterministic);
    at::globalContext().setBenchmarkCuDNN(!deterministic);
  });
}

int ct_set_flush_denormal(bool flush) {
  return status([&] { at::globalContext().setFlushDenormal(flush); });
}

bool ct_owns_memory(void) { return owns_memory(); }

int ct_keep_freed_memory(void) {
  keep_memory();
#if defined(__GLIBC__)
  const int never = 0x7fffffff;
  return mallopt(M_TRIM_THRESHOLD, never) && mallopt(M_MMAP_THRESHOLD, 1 << 30) ? 0 : -1;
#else
  return -1;
#endif
}

bool ct_grad_enabled(void) { return c10::GradMode::is_enabled(); }

void ct_set_grad_enabled(bool enabled) { c10::GradMode::set_enabled(enabled); }

int ct_autocast_begin(int device_type, int scalar_type, bool *was_enabled, int *former_type) {
  return status([&] {
    auto device = static_cast<c10::DeviceType>(device_type);
    *was_enabled = at::autocast::is_autocast_enabled(device);
    *former_type = static_cast<int>(at::autocast::get_autocast_dtype(device));
    at::autocast::increment_nesting();
    at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(scalar_type));
    at::autocast::set_autocast_enabled(device, true);
  });
}

int ct_autocast_end(int device_type, bool was_enabled, int former_type) {
  return status([&] {
    auto device = static_cast<c10::DeviceType>(device_type);
    at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(former_type));
    at::autocast::set_autocast_enabled(device, was_enabled);
    // Weights cast inside the scope are cached until the outermost scope ends; they go stale at the next step.
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  });
}

ct_generator ct_generator_new(int device_type, int device_index, uint64_t seed) {
  return guarded<ct_generator>(nullptr, [&] {
    auto generator = at::globalContext().defaultGenerator(device(device_type, device_index)).clone();
    generator.set_current_seed(seed);
    return new ct_generator_s{std::move(generator)};
  });
}

void ct_generator_free(ct_generator g) { delete g; }

int ct_generator_seed(ct_generator g, uint64_t seed) {
  return status([&] {
    std::lock_guard<std::mutex> lock(g->value.mutex());
    g->value.set_current_seed(seed);
  });
}
