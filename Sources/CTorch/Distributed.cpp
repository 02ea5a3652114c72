// Several processes that compute together, by LibTorch's own c10d with Gloo. Compiling it needs Gloo's headers; the library itself is
// inside of libtorch_cpu.
#if __has_include(<gloo/context.h>)
#define CT_HAS_C10D 1
#define USE_C10D_GLOO 1
#endif

#include "Internal.h"

#ifdef CT_HAS_C10D
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <cstdlib>
#include <sstream>
#endif

using namespace ctorch;

#ifdef CT_HAS_C10D

struct ct_group_s {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroup> value;
  c10::intrusive_ptr<c10d::Backend> backend;
};

struct ct_reducer_s {
  std::shared_ptr<c10d::Reducer> value;
};

namespace {

constexpr size_t kFirstBucket = 1 << 20, kBucket = 25 << 20;  // DistributedDataParallel's.

std::vector<std::shared_ptr<::gloo::transport::Device>> devices() {
  std::vector<std::shared_ptr<::gloo::transport::Device>> result;
  const char *names = std::getenv("GLOO_SOCKET_IFNAME");
  if (names && *names) {
    std::stringstream all(names);
    std::string name;
    while (std::getline(all, name, ',')) result.push_back(c10d::ProcessGroupGloo::createDeviceForInterface(name));
  } else {
    result.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
  }
  return result;
}

/// Newer versions of LibTorch take more arguments, which say what is the case by default.
template <typename... Arguments>
std::shared_ptr<c10d::Reducer> make_reducer(Arguments... arguments) {
  using Buckets = std::vector<int64_t>;
  if constexpr (std::is_constructible_v<c10d::Reducer, Arguments..., bool, bool, Buckets>) {
    return std::make_shared<c10d::Reducer>(std::move(arguments)..., false, false, Buckets());
  } else if constexpr (std::is_constructible_v<c10d::Reducer, Arguments..., bool, bool>) {
    return std::make_shared<c10d::Reducer>(std::move(arguments)..., false, false);
  } else {
    return std::make_shared<c10d::Reducer>(std::move(arguments)...);
  }
}

void all_reduce(const c10::intrusive_ptr<c10d::Backend> &backend, std::vector<at::Tensor> tensors, c10d::ReduceOp op) {
  c10d::AllreduceOptions options;
  options.reduceOp = op;
  backend->allreduce(tensors, options)->wait();
}

/// Filters of 1×1 have strides that mean nothing, and the reducer takes them for a mistake of its user.
struct StrideWarnings : public c10::WarningHandler {
  explicit StrideWarnings(c10::WarningHandler *next) : next(next) {}
  void process(const c10::Warning &warning) override {
    if (warning.msg().find("strides do not match") == std::string::npos) next->process(warning);
  }
  c10::WarningHandler *next;
};

/// On the thread that computes gradients.
void quiet_stride_warnings() {
  static thread_local StrideWarnings handler(c10::WarningUtils::get_warning_handler());
  c10::WarningUtils::set_warning_handler(&handler);
}

/// Batch normalization over the batches of all processes: PyTorch's SyncBatchNorm, which LibTorch has for CUDA only.
class SynchronizedNorm : public torch::autograd::Function<SynchronizedNorm> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &x, const at::Tensor &gamma,
                            const at::Tensor &beta, const std::optional<at::Tensor> &running_mean,
                            const std::optional<at::Tensor> &running_variance,
                            double momentum, double epsilon, int64_t group_address) {
    auto *group = reinterpret_cast<ct_group_s *>(group_address);
    auto dims = reduced(x);
    auto channels = x.size(1);
    // Two exchanges, so that the variance is that of differences and not a difference of large numbers.
    auto sums = at::cat({x.sum(dims, false, at::kDouble), at::full({1}, x.numel() / channels, x.options().dtype(at::kDouble))});
    all_reduce(group->backend, {sums}, c10d::ReduceOp::SUM);
    auto count = sums[channels].item<double>();
    auto mean = (sums.narrow(0, 0, channels) / count).to(x.scalar_type());
    auto squares = at::square(x - spread(mean, x)).sum(dims, false, at::kDouble);
    all_reduce(group->backend, {squares}, c10d::ReduceOp::SUM);
    auto variance = (squares / count).to(x.scalar_type());
    if (running_mean && running_variance) {
      auto unbiased = (squares / std::max(count - 1, 1.0)).to(running_variance->scalar_type());
      at::AutoDispatchBelowADInplaceOrView below;
      running_mean->mul_(1 - momentum).add_(mean, momentum);
      running_variance->mul_(1 - momentum).add_(unbiased, momentum);
    }
    auto inverse = at::rsqrt(variance + epsilon);
    context->save_for_backward({x, gamma, mean, inverse});
    context->saved_data["count"] = count;
    context->saved_data["group"] = group_address;
    return at::batch_norm(x, gamma, beta, mean, variance, /*training=*/false, 0, epsilon, false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    auto saved = context->get_saved_variables();
    const auto &x = saved[0], &gamma = saved[1], &mean = saved[2], &inverse = saved[3];
    auto count = context->saved_data["count"].toDouble();
    auto *group = reinterpret_cast<ct_group_s *>(context->saved_data["group"].toInt());
    const auto &dy = gradients[0];
    auto dims = reduced(x);
    auto centered = x - spread(mean, x);
    auto sum_dy = dy.sum(dims, false, at::kDouble);
    auto sum_dy_x = (dy * centered).sum(dims, false, at::kDouble);
    // The gradients of scale and shift are this process's share: they are averaged with all others later.
    auto d_gamma = (sum_dy_x * inverse).to(gamma.scalar_type());
    auto d_beta = sum_dy.to(gamma.scalar_type());
    auto sums = at::cat({sum_dy, sum_dy_x});
    all_reduce(group->backend, {sums}, c10d::ReduceOp::SUM);
    auto channels = x.size(1);
    auto mean_dy = (sums.narrow(0, 0, channels) / count).to(x.scalar_type());
    auto mean_dy_x = (sums.narrow(0, channels, channels) / count).to(x.scalar_type());
    auto dx = (dy - spread(mean_dy, x) - centered * spread(at::square(inverse) * mean_dy_x, x)) *
              spread(inverse * gamma, x);
    return {dx, d_gamma, d_beta, {}, {}, {}, {}, {}};
  }

 private:
  static std::vector<int64_t> reduced(const at::Tensor &x) {
    std::vector<int64_t> dims{0};
    for (int64_t i = 2; i < x.dim(); i++) dims.push_back(i);
    return dims;
  }

  static at::Tensor spread(const at::Tensor &channels, const at::Tensor &x) {
    std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
    shape[1] = channels.size(0);
    return channels.view(shape);
  }
};

}  // namespace

bool ct_group_available(void) { return true; }

ct_group ct_group_join(const char *host, int port, bool serves, int rank, int size, double timeout, const char *prefix) {
  return guarded<ct_group>(nullptr, [&] {
    auto limit = std::chrono::milliseconds(static_cast<int64_t>(timeout * 1000));
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(port);
    options.isServer = serves;
    options.waitWorkers = false;
    options.timeout = limit;
    options.useLibUV = false;
    auto tcp = c10::make_intrusive<c10d::TCPStore>(host, options);
    tcp->setTimeout(limit);
    auto store = c10::make_intrusive<c10d::PrefixStore>(prefix, tcp);
    auto gloo = c10d::ProcessGroupGloo::Options::create(limit);
    gloo->devices = devices();
    auto backend = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, gloo);
    auto group = c10::make_intrusive<c10d::ProcessGroup>(store, rank, size);
    group->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
    for (auto type : {c10::DeviceType::CPU, c10::DeviceType::CUDA}) {
      group->setBackend(type, c10d::ProcessGroup::BackendType::GLOO, backend);
    }
    return new ct_group_s{store, group, backend};
  });
}

void ct_group_leave(ct_group group) {
  guarded<int>(-1, [&] {
    delete group;
    return 0;
  });
}

int ct_group_sum(ct_group group, const ct_tensor *tensors, size_t count) {
  return status([&] {
    c10::NoGradGuard no_grad;
    auto all = list(tensors, count);
    for (auto &tensor : all) all_reduce(group->backend, {tensor}, c10d::ReduceOp::SUM);
  });
}

int ct_group_average_gradients(ct_group group, const ct_tensor *parameters, size_t count) {
  return status([&] {
    c10::NoGradGuard no_grad;
    std::vector<at::Tensor> bucket;
    size_t bytes = 0;
    auto flush = [&] {
      if (bucket.empty()) return;
      c10d::AllreduceCoalescedOptions options;
      options.reduceOp = c10d::ReduceOp::SUM;
      group->backend->allreduce_coalesced(bucket, options)->wait();
      at::_foreach_div_(bucket, group->backend->getSize());
      bucket.clear();
      bytes = 0;
    };
    for (size_t i = 0; i < count; i++) {
      auto gradient = parameters[i]->value.grad();
      if (!gradient.defined()) continue;
      if (!bucket.empty() && (bytes + gradient.nbytes() > kBucket || bucket[0].scalar_type() != gradient.scalar_type())) flush();
      bucket.push_back(gradient);
      bytes += gradient.nbytes();
    }
    flush();
  });
}

int ct_group_broadcast(ct_group group, const ct_tensor *tensors, size_t count, int root) {
  return status([&] {
    c10::NoGradGuard no_grad;
    c10d::BroadcastOptions options;
    options.rootRank = root;
    for (auto &tensor : list(tensors, count)) {
      // In a copy where rows do not lie one after the other, so that all processes agree on the order of elements.
      auto whole = tensor.contiguous();
      std::vector<at::Tensor> one{whole};
      group->backend->broadcast(one, options)->wait();
      if (!whole.is_same(tensor)) tensor.copy_(whole);
    }
  });
}

ct_reducer ct_reducer_new(ct_group group, const ct_tensor *parameters, size_t count) {
  return guarded<ct_reducer>(nullptr, [&] {
    auto all = list(parameters, count);
    std::vector<bool> dense(count, false);
    auto buckets = std::get<0>(c10d::compute_bucket_assignment_by_size(all, {kFirstBucket, kBucket}, dense));
    std::reverse(buckets.begin(), buckets.end());
    return new ct_reducer_s{make_reducer(all, buckets, group->value, dense, static_cast<int64_t>(kBucket),
                                         /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/false,
                                         std::unordered_map<size_t, std::string>(),
                                         static_cast<int64_t>(kFirstBucket))};
  });
}

int ct_reducer_prepare(ct_reducer reducer) {
  return status([&] {
    quiet_stride_warnings();
    reducer->value->rebuild_buckets();
    reducer->value->prepare_for_backward({});
  });
}

void ct_reducer_free(ct_reducer reducer) {
  guarded<int>(-1, [&] {
    delete reducer;
    return 0;
  });
}

ct_tensor ct_synchronized_norm(ct_tensor x, ct_tensor gamma, ct_tensor beta, ct_tensor running_mean,
                               ct_tensor running_variance, double momentum, double epsilon, ct_group group) {
  return tensor([&] {
    return SynchronizedNorm::apply(x->value, gamma->value, beta->value, optional(running_mean),
                                   optional(running_variance), momentum, epsilon,
                                   reinterpret_cast<int64_t>(group));
  });
}

#else

namespace {
constexpr const char *kMissing = "this build knows no other processes: Gloo's headers were not there when it was compiled";
}

bool ct_group_available(void) { return false; }
ct_group ct_group_join(const char *, int, bool, int, int, double, const char *) {
  set_error(kMissing);
  return nullptr;
}
void ct_group_leave(ct_group) {}
static int missing() {
  set_error(kMissing);
  return -1;
}
int ct_group_sum(ct_group, const ct_tensor *, size_t) { return missing(); }
int ct_group_average_gradients(ct_group, const ct_tensor *, size_t) { return missing(); }
int ct_group_broadcast(ct_group, const ct_tensor *, size_t, int) { return missing(); }
ct_reducer ct_reducer_new(ct_group, const ct_tensor *, size_t) {
  set_error(kMissing);
  return nullptr;
}
int ct_reducer_prepare(ct_reducer) { return missing(); }
void ct_reducer_free(ct_reducer) {}
ct_tensor ct_synchronized_norm(ct_tensor, ct_tensor, ct_tensor, ct_tensor, ct_tensor, double, double, ct_group) {
  set_error(kMissing);
  return nullptr;
}

#endif
