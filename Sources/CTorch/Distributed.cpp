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
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/csrc/distributed/c10d/logger.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <numeric>
#include <sstream>
#endif

using namespace ctorch;

#ifdef CT_HAS_C10D

struct ct_group_s {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroup> value;
  c10::intrusive_ptr<c10d::Backend> backend;
};

struct ct_pending_sum_s {
  c10::intrusive_ptr<c10d::Work> value;
  // Kept until it has been sent.
  std::vector<at::Tensor> tensors;
};

namespace {

/// In which order a backward pass adds to the gradients of parameters.
class GradientOrder {
 public:
  explicit GradientOrder(const std::vector<at::Tensor> &parameters)
      : state(std::make_shared<State>()), count(parameters.size()) {
    for (size_t place = 0; place < parameters.size(); place++) {
      auto accumulator = torch::autograd::impl::grad_accumulator(parameters[place]);
      if (!accumulator) continue;  // It needs no gradient.
      using List = std::vector<torch::autograd::Variable>;
      auto key = accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
          [state = state, place](const List &outputs, const List &) {
            std::lock_guard<std::mutex> lock(state->mutex);
            if (!state->seen.at(place)) state->order.push_back(static_cast<int64_t>(place));
            state->seen.at(place) = true;
            return outputs;
          }));
      hooks.emplace_back(std::move(accumulator), key);
    }
    begin();
  }
  ~GradientOrder() {
    for (auto &[accumulator, key] : hooks) accumulator->del_post_hook(key);
  }
  GradientOrder(const GradientOrder &) = delete;
  GradientOrder &operator=(const GradientOrder &) = delete;

  void begin() {
    std::lock_guard<std::mutex> lock(state->mutex);
    state->order.clear();
    state->seen.assign(count, false);
  }
  /// The places of those that were added to.
  std::vector<int64_t> found() const {
    std::lock_guard<std::mutex> lock(state->mutex);
    return state->order;
  }

 private:
  struct State {
    std::mutex mutex;
    std::vector<int64_t> order;
    std::vector<bool> seen;
  };
  using Accumulator = decltype(torch::autograd::impl::grad_accumulator(std::declval<const at::Tensor &>()));
  std::shared_ptr<State> state;
  size_t count;
  std::vector<std::pair<Accumulator, uintptr_t>> hooks;
};

}  // namespace

/// Watches the first backward pass, and then has LibTorch's reducer, whose buckets are from the beginning those that it would choose after its
/// own first pass: a ring adds up a number of a bucket in an order that goes by its place there, so that a training that goes on has the
/// bits of one that was not stopped only when no pass has other buckets.
struct ct_reducer_s {
  c10::intrusive_ptr<c10d::ProcessGroup> group;
  std::vector<at::Tensor> parameters;
  std::unique_ptr<GradientOrder> watched;
  std::shared_ptr<c10d::Reducer> value;
  /// Keeps the mean of what the reducer's passes took.
  std::shared_ptr<c10d::Logger> logger;
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

/// Sums of tensors, in one message for all neighbours of a type up to a bucket's size: on a slow network it is messages that take time.
void sum_all(const c10::intrusive_ptr<c10d::Backend> &backend, const std::vector<at::Tensor> &all) {
  for (size_t begin = 0; begin < all.size();) {
    std::vector<at::Tensor> bucket;
    size_t bytes = 0, end = begin;
    for (; end < all.size() && all[end].scalar_type() == all[begin].scalar_type(); end++) {
      bytes += all[end].nbytes();
      if (end > begin && bytes > kBucket) break;
      bucket.push_back(all[end]);
    }
    begin = end;
    if (bucket[0].is_cpu()) {
      c10d::AllreduceCoalescedOptions options;
      options.reduceOp = c10d::ReduceOp::SUM;
      backend->allreduce_coalesced(bucket, options)->wait();
      continue;
    }
    // Gloo joins tensors of the CPU alone.
    c10::NoGradGuard no_grad;
    std::vector<at::Tensor> parts;
    for (const auto &tensor : bucket) parts.push_back(tensor.detach().reshape({-1}));
    std::vector<at::Tensor> joined{at::cat(parts)};
    c10d::AllreduceOptions options;
    options.reduceOp = c10d::ReduceOp::SUM;
    backend->allreduce(joined, options)->wait();
    int64_t start = 0;
    for (auto &tensor : bucket) {
      tensor.detach().copy_(joined[0].narrow(0, start, tensor.numel()).view(tensor.sizes()));
      start += tensor.numel();
    }
  }
}

/// The order of rank 0, of which every process must have the same parameters.
std::vector<int64_t> agreed(const c10::intrusive_ptr<c10d::ProcessGroup> &group, const std::vector<int64_t> &order, size_t count) {
  auto places = at::full({static_cast<int64_t>(count)}, -1, at::kLong);
  std::copy(order.begin(), order.end(), places.data_ptr<int64_t>());
  std::vector<at::Tensor> one{places};
  group->broadcast(one)->wait();
  auto *first = places.data_ptr<int64_t>();
  std::vector<int64_t> theirs(first, std::find(first, first + count, -1));
  auto mine = order, same = theirs;
  std::sort(mine.begin(), mine.end());
  std::sort(same.begin(), same.end());
  // All are told, so that nobody waits for one that has left.
  auto different = at::full({1}, mine == same ? 0 : 1, at::kLong);
  std::vector<at::Tensor> sum{different};
  group->allreduce(sum)->wait();
  if (different.item<int64_t>() != 0) throw std::runtime_error("the processes have gradients of different parameters");
  return theirs;
}

/// Averages what has been computed, as a reducer of these buckets would have.
void average(const c10::intrusive_ptr<c10d::ProcessGroup> &group, const std::vector<at::Tensor> &parameters,
             const std::vector<std::vector<size_t>> &buckets) {
  c10::NoGradGuard no_grad;
  auto share = c10::scalar_to_tensor(1.0 / group->getSize());
  share.unsafeGetTensorImpl()->set_wrapped_number(true);
  for (const auto &bucket : buckets) {
    int64_t size = 0;
    for (auto place : bucket) size += parameters[place].numel();
    auto flat = at::empty({size}, parameters[bucket[0]].options().requires_grad(false));
    std::vector<at::Tensor> views;
    int64_t offset = 0;
    for (auto place : bucket) {
      const auto &parameter = parameters[place];
      views.push_back(parameter.is_non_overlapping_and_dense()
                          ? flat.as_strided(parameter.sizes(), parameter.strides(), offset)
                          : flat.narrow(0, offset, parameter.numel()).view(parameter.sizes()));
      at::mul_out(views.back(), parameter.grad(), share);
      offset += parameter.numel();
    }
    std::vector<at::Tensor> one{flat};
    group->allreduce(one)->wait();
    for (size_t place = 0; place < bucket.size(); place++) parameters[bucket[place]].mutable_grad().copy_(views[place]);
  }
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
    auto channels = x.size(1);
    // Each process's mean and variance, put together by Chan, Golub and LeVeque (1983): one exchange, and no difference of large numbers.
    auto [own_mean, own_variance] = at::batch_norm_update_stats(x, {}, {}, 0);
    auto wide = own_mean.options().dtype(at::kDouble);
    auto all = at::zeros({group->backend->getSize(), 2 * channels + 1}, wide);
    all[group->backend->getRank()].copy_(
        at::cat({own_mean.to(at::kDouble), own_variance.to(at::kDouble), at::full({1}, x.numel() / channels, wide)}));
    sum_all(group->backend, {all});
    auto means = all.narrow(1, 0, channels), variances = all.narrow(1, channels, channels);
    auto counts = all.narrow(1, 2 * channels, 1);
    auto count = counts.sum().item<double>();
    auto wide_mean = (means * counts).sum(0) / count;
    auto squares = ((variances + at::square(means - wide_mean)) * counts).sum(0);
    auto mean = wide_mean.to(own_mean.scalar_type());
    auto variance = (squares / count).to(own_mean.scalar_type());
    if (running_mean && running_variance) {
      auto unbiased = (squares / std::max(count - 1, 1.0)).to(running_variance->scalar_type());
      at::AutoDispatchBelowADInplaceOrView below;
      running_mean->mul_(1 - momentum).add_(mean, momentum);
      running_variance->mul_(1 - momentum).add_(unbiased, momentum);
    }
    context->save_for_backward({x, gamma, mean, variance});
    context->saved_data["count"] = count;
    context->saved_data["epsilon"] = epsilon;
    context->saved_data["group"] = group_address;
    return at::batch_norm(x, gamma, beta, mean, variance, /*training=*/false, 0, epsilon, false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    auto saved = context->get_saved_variables();
    const auto &x = saved[0], &gamma = saved[1], &mean = saved[2], &variance = saved[3];
    auto count = context->saved_data["count"].toDouble(), epsilon = context->saved_data["epsilon"].toDouble();
    auto *group = reinterpret_cast<ct_group_s *>(context->saved_data["group"].toInt());
    // As if mean and variance were given; the gradients of scale and shift are this process's share, which are averaged with all others later.
    auto [dx, d_gamma, d_beta] = at::native_batch_norm_backward(gradients[0], x, gamma, mean, variance, {}, {},
                                                                /*train=*/false, epsilon, {true, true, true});
    // That they are not: they depend on every sample.
    auto sums = at::cat({d_beta.to(at::kDouble), d_gamma.to(at::kDouble)});
    sum_all(group->backend, {sums});
    auto channels = x.size(1);
    auto inverse = at::rsqrt(variance.to(at::kDouble) + epsilon), scale = inverse * gamma.to(at::kDouble) / count;
    auto slope = sums.narrow(0, channels, channels) * inverse * scale;
    auto offset = sums.narrow(0, 0, channels) * scale - slope * mean.to(at::kDouble);
    dx.sub_(spread(offset.to(x.scalar_type()), x)).addcmul_(x, spread(slope.to(x.scalar_type()), x), -1);
    return {dx, d_gamma, d_beta, {}, {}, {}, {}, {}};
  }

 private:
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
    sum_all(group->backend, list(tensors, count));
  });
}

ct_pending_sum ct_group_begin_sum(ct_group group, ct_tensor tensor) {
  return guarded<ct_pending_sum>(nullptr, [&] {
    c10::NoGradGuard no_grad;
    std::vector<at::Tensor> one{tensor->value};
    auto work = group->backend->allreduce(one, c10d::AllreduceOptions());
    return new ct_pending_sum_s{work, one};
  });
}

int ct_pending_sum_wait(ct_pending_sum sum) {
  std::unique_ptr<ct_pending_sum_s> owned(sum);
  return status([&] { owned->value->wait(); });
}

int ct_group_average_gradients(ct_group group, const ct_tensor *parameters, size_t count) {
  return status([&] {
    c10::NoGradGuard no_grad;
    std::vector<at::Tensor> gradients;
    for (const auto &parameter : list(parameters, count)) {
      if (auto gradient = parameter.grad(); gradient.defined()) gradients.push_back(gradient);
    }
    sum_all(group->backend, gradients);
    if (!gradients.empty()) at::_foreach_div_(gradients, group->backend->getSize());
  });
}

int ct_group_broadcast(ct_group group, const ct_tensor *tensors, size_t count, int root) {
  return status([&] {
    c10::NoGradGuard no_grad;
    c10d::BroadcastOptions options;
    options.rootRank = root;
    // One message for all neighbours of a type. Elements in row-major order, wherever they lie.
    auto all = list(tensors, count);
    for (size_t begin = 0; begin < all.size();) {
      size_t end = begin;
      std::vector<at::Tensor> rows;
      for (; end < all.size() && all[end].scalar_type() == all[begin].scalar_type(); end++) {
        rows.push_back(all[end].contiguous().view({-1}));
      }
      std::vector<at::Tensor> one{at::cat(rows)};
      group->backend->broadcast(one, options)->wait();
      int64_t offset = 0;
      for (; begin < end; begin++) {
        if (group->backend->getRank() != root) {
          all[begin].copy_(one[0].narrow(0, offset, all[begin].numel()).view(all[begin].sizes()));
        }
        offset += all[begin].numel();
      }
    }
  });
}

ct_reducer ct_reducer_new(ct_group group, const ct_tensor *parameters, size_t count) {
  return guarded<ct_reducer>(nullptr, [&] {
    auto all = list(parameters, count);
    auto watched = std::make_unique<GradientOrder>(all);
    return new ct_reducer_s{group->value, std::move(all), std::move(watched), nullptr, nullptr};
  });
}

int ct_reducer_prepare(ct_reducer reducer) {
  return status([&] {
    if (!reducer->value) return reducer->watched->begin();
    quiet_stride_warnings();
    // Of the pass before.
    reducer->logger->set_runtime_stats_and_log();
    reducer->value->prepare_for_forward();
    reducer->value->rebuild_buckets();
    reducer->value->prepare_for_backward({});
  });
}

int ct_reducer_finish(ct_reducer reducer) {
  return status([&] {
    if (reducer->value) return;
    auto found = reducer->watched->found();
    // A derivative may turn out to be none.
    std::erase_if(found, [&](int64_t place) { return !reducer->parameters[place].grad().defined(); });
    auto order = agreed(reducer->group, found, reducer->parameters.size());
    if (order.empty()) return;
    // Those without a gradient would be waited for.
    std::vector<at::Tensor> parameters;
    for (auto place : order) parameters.push_back(reducer->parameters.at(place));
    std::iota(order.begin(), order.end(), 0);
    std::vector<bool> dense(order.size(), false);
    auto buckets =
        std::get<0>(c10d::compute_bucket_assignment_by_size(parameters, {kFirstBucket, kBucket}, dense, order));
    average(reducer->group, parameters, buckets);
    reducer->value = make_reducer(parameters, buckets, reducer->group, dense, static_cast<int64_t>(kBucket),
                                  /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/false,
                                  std::unordered_map<size_t, std::string>(), static_cast<int64_t>(kFirstBucket));
    reducer->value->set_ddp_runtime_logging_sample_rate(1);
    reducer->logger = std::make_shared<c10d::Logger>(reducer->value);
    reducer->watched = nullptr;
  });
}

bool ct_reducer_times(ct_reducer reducer, double *seconds) {
  return guarded<bool>(false, [&] {
    if (!reducer->logger) return false;
    auto found = reducer->logger->get_ddp_logging_data().ints_map;
    constexpr const char *kNames[] = {"avg_backward_compute_time", "avg_backward_comm_time",
                                      "avg_backward_compute_comm_overlap_time"};
    for (int place = 0; place < 3; place++) seconds[place] = 1e-9 * static_cast<double>(found[kNames[place]]);
    return seconds[0] > 0 && seconds[1] > 0;
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
    // In the precision of scale and shift: statistics in half precision would keep three digits.
    auto type = x->value.scalar_type();
    auto result = SynchronizedNorm::apply(x->value.to(gamma->value.scalar_type()), gamma->value, beta->value,
                                          optional(running_mean), optional(running_variance), momentum, epsilon,
                                          reinterpret_cast<int64_t>(group));
    return result.to(type);
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
ct_pending_sum ct_group_begin_sum(ct_group, ct_tensor) {
  set_error(kMissing);
  return nullptr;
}
int ct_pending_sum_wait(ct_pending_sum) { return missing(); }
int ct_group_average_gradients(ct_group, const ct_tensor *, size_t) { return missing(); }
int ct_group_broadcast(ct_group, const ct_tensor *, size_t, int) { return missing(); }
ct_reducer ct_reducer_new(ct_group, const ct_tensor *, size_t) {
  set_error(kMissing);
  return nullptr;
}
int ct_reducer_finish(ct_reducer) { return missing(); }
int ct_reducer_prepare(ct_reducer) { return missing(); }
bool ct_reducer_times(ct_reducer, double *) { return false; }
void ct_reducer_free(ct_reducer) {}
ct_tensor ct_synchronized_norm(ct_tensor, ct_tensor, ct_tensor, ct_tensor, ct_tensor, double, double, ct_group) {
  set_error(kMissing);
  return nullptr;
}

#endif
