/// A C interface over LibTorch: the only place of this package where C++ is spoken.
///
/// Rules of the house:
/// - A function that makes a tensor returns an owned handle, or NULL after a failure. A function without a result
///   returns 0, or -1 after a failure. `ct_last_error` then holds LibTorch's message (per thread).
/// - No C++ exception ever leaves this library.
/// - Handles are freed with `ct_tensor_free`; arguments are borrowed, never consumed.
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ct_tensor_s *ct_tensor;
typedef struct ct_generator_s *ct_generator;
/// Processes that compute together.
typedef struct ct_group_s *ct_group;
/// A sum that is on its way.
typedef struct ct_pending_sum_s *ct_pending_sum;
/// LibTorch's `Reducer`: sends gradients while the rest of them is still computed.
typedef struct ct_reducer_s *ct_reducer;

/// The message of the last failure on this thread.
const char *_Nonnull ct_last_error(void);

// MARK: Library
const char *_Nonnull ct_built_version(void);
const char *_Nonnull ct_version(void);
int ct_set_threads(int count);
int ct_threads(void);
/// Opens libtorch_cuda at run time, once; 0 when CUDA can be used afterwards.
int ct_load_cuda(void);
int ct_cuda_device_count(void);
int ct_synchronize(int device_type, int device_index);
int ct_set_deterministic(bool deterministic);
int ct_set_flush_denormal(bool flush);
/// Tells the C allocator to keep freed memory for the next use instead of giving it back to the system; -1 where it cannot.
int ct_keep_freed_memory(void);
/// Whether tensors on the CPU take their memory from where freed memory can be kept; from the program's start on.
bool ct_owns_memory(void);
bool ct_grad_enabled(void);
void ct_set_grad_enabled(bool enabled);
int ct_autocast_begin(int device_type, int scalar_type, bool *_Nonnull was_enabled, int *_Nonnull former_type);
int ct_autocast_end(int device_type, bool was_enabled, int former_type);
int ct_crowd_begin(int members);
int ct_crowd_end(void);

// MARK: Making and reading tensors
ct_tensor _Nullable ct_empty(const int64_t *_Nullable shape, int dims, int scalar_type, int device_type,
                             int device_index);
ct_tensor _Nullable ct_full(const int64_t *_Nullable shape, int dims, double value, int scalar_type, int device_type,
                            int device_index);
/// Copies `bytes`, row-major.
ct_tensor _Nullable ct_from_bytes(const void *_Nullable bytes, size_t count, const int64_t *_Nullable shape, int dims,
                                  int scalar_type, int device_type, int device_index);
/// Copies `count` elements laid out as [N, H, W, C] into a channels-last tensor of shape [N, C, H, W].
ct_tensor _Nullable ct_from_channels_last_bytes(const void *_Nonnull bytes, size_t count,
                                                const int64_t *_Nonnull shape, int scalar_type);
void ct_tensor_free(ct_tensor _Nullable t);
int ct_dims(ct_tensor _Nonnull t);
void ct_sizes(ct_tensor _Nonnull t, int64_t *_Nonnull out);
void ct_strides(ct_tensor _Nonnull t, int64_t *_Nonnull out);
int64_t ct_numel(ct_tensor _Nonnull t);
int ct_scalar_type(ct_tensor _Nonnull t);
int ct_device_type(ct_tensor _Nonnull t);
int ct_device_index(ct_tensor _Nonnull t);
bool ct_is_contiguous(ct_tensor _Nonnull t, int memory_format);
int ct_item_double(ct_tensor _Nonnull t, double *_Nonnull out);
int ct_item_int(ct_tensor _Nonnull t, int64_t *_Nonnull out);
/// Copies the elements, row-major, to memory of exactly `count` bytes.
int ct_copy_to_bytes(ct_tensor _Nonnull t, void *_Nullable out, size_t count);
/// The storage of a contiguous CPU tensor, for reading in place; NULL otherwise.
const void *_Nullable ct_data(ct_tensor _Nonnull t);
/// -1 leaves scalar type, device or memory format as they are.
ct_tensor _Nullable ct_to(ct_tensor _Nonnull t, int scalar_type, int device_type, int device_index, int memory_format,
                          bool non_blocking, bool copy);
ct_tensor _Nullable ct_contiguous(ct_tensor _Nonnull t, int memory_format);
int ct_copy_(ct_tensor _Nonnull destination, ct_tensor _Nonnull source, bool non_blocking);
ct_tensor _Nullable ct_clone(ct_tensor _Nonnull t);
ct_tensor _Nullable ct_zeros_like(ct_tensor _Nonnull t);
int ct_fill_(ct_tensor _Nonnull t, double value);

// MARK: Autograd
int ct_set_requires_grad(ct_tensor _Nonnull t, bool requires_grad);
bool ct_requires_grad(ct_tensor _Nonnull t);
ct_tensor _Nullable ct_detach(ct_tensor _Nonnull t);
/// NULL without an error message when there is no gradient.
ct_tensor _Nullable ct_grad(ct_tensor _Nonnull t);
int ct_set_grad(ct_tensor _Nonnull t, ct_tensor _Nullable grad);
int ct_clear_grads(const ct_tensor _Nonnull *_Nonnull tensors, size_t count);
int ct_backward(ct_tensor _Nonnull t, ct_tensor _Nullable grad);
/// Gradients of `output` for `inputs`, without touching any `.grad`; unused inputs give NULL.
int ct_gradients(ct_tensor _Nonnull output, ct_tensor _Nullable grad_output,
                 const ct_tensor _Nonnull *_Nonnull inputs, size_t count, ct_tensor _Nullable *_Nonnull out);

// MARK: Arithmetic
ct_tensor _Nullable ct_add(ct_tensor _Nonnull a, ct_tensor _Nonnull b, double alpha);
ct_tensor _Nullable ct_mul(ct_tensor _Nonnull a, ct_tensor _Nonnull b);
ct_tensor _Nullable ct_div(ct_tensor _Nonnull a, ct_tensor _Nonnull b);
ct_tensor _Nullable ct_add_scalar(ct_tensor _Nonnull a, double b);
ct_tensor _Nullable ct_mul_scalar(ct_tensor _Nonnull a, double b);
int ct_add_(ct_tensor _Nonnull a, ct_tensor _Nonnull b, double alpha);
int ct_mul_(ct_tensor _Nonnull a, ct_tensor _Nonnull b);
int ct_mul_scalar_(ct_tensor _Nonnull a, double b);
ct_tensor _Nullable ct_matmul(ct_tensor _Nonnull a, ct_tensor _Nonnull b);
ct_tensor _Nullable ct_exp(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_log(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_abs(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_sign(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_sqrt(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_clamp(ct_tensor _Nonnull a, double minimum, double maximum);
ct_tensor _Nullable ct_cumprod(ct_tensor _Nonnull a, int64_t dim);
ct_tensor _Nullable ct_gt_scalar(ct_tensor _Nonnull a, double b);
ct_tensor _Nullable ct_lt(ct_tensor _Nonnull a, ct_tensor _Nonnull b);
ct_tensor _Nullable ct_maximum(ct_tensor _Nonnull a, ct_tensor _Nonnull b);
ct_tensor _Nullable ct_where(ct_tensor _Nonnull condition, ct_tensor _Nonnull a, ct_tensor _Nonnull b);
ct_tensor _Nullable ct_eq(ct_tensor _Nonnull a, ct_tensor _Nonnull b);
ct_tensor _Nullable ct_erf(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_reciprocal(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_pow_scalar(ct_tensor _Nonnull a, double exponent);
ct_tensor _Nullable ct_minimum(ct_tensor _Nonnull a, ct_tensor _Nonnull b);
ct_tensor _Nullable ct_amax(ct_tensor _Nonnull a, const int64_t *_Nonnull over, int count, bool keep);
ct_tensor _Nullable ct_expand(ct_tensor _Nonnull a, const int64_t *_Nonnull sizes, int count);
ct_tensor _Nullable ct_isfinite(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_all(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_sum(ct_tensor _Nonnull a, const int64_t *_Nullable over, int count, bool keep);
ct_tensor _Nullable ct_norm(ct_tensor _Nonnull a, const int64_t *_Nullable over, int count, bool keep);
ct_tensor _Nullable ct_mean(ct_tensor _Nonnull a, const int64_t *_Nullable over, int count, bool keep);
ct_tensor _Nullable ct_var(ct_tensor _Nonnull a, const int64_t *_Nullable over, int count, bool unbiased);
ct_tensor _Nullable ct_max(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_argmax(ct_tensor _Nonnull a, int64_t dim);
ct_tensor _Nullable ct_topk_indices(ct_tensor _Nonnull a, int64_t k, int64_t dim);
ct_tensor _Nullable ct_argsort(ct_tensor _Nonnull a, int64_t dim, bool descending);

// MARK: Shape
ct_tensor _Nullable ct_reshape(ct_tensor _Nonnull a, const int64_t *_Nullable shape, int dims);
ct_tensor _Nullable ct_permute(ct_tensor _Nonnull a, const int64_t *_Nonnull order, int dims);
ct_tensor _Nullable ct_flatten(ct_tensor _Nonnull a, int64_t start);
ct_tensor _Nullable ct_unsqueeze(ct_tensor _Nonnull a, int64_t dim);
ct_tensor _Nullable ct_slice(ct_tensor _Nonnull a, int64_t dim, int64_t start, int64_t end, int64_t step);
ct_tensor _Nullable ct_index_select(ct_tensor _Nonnull a, int64_t dim, ct_tensor _Nonnull index);
ct_tensor _Nullable ct_gather(ct_tensor _Nonnull a, int64_t dim, ct_tensor _Nonnull index);
ct_tensor _Nullable ct_scatter(ct_tensor _Nonnull a, int64_t dim, ct_tensor _Nonnull index, ct_tensor _Nonnull source);
ct_tensor _Nullable ct_flip(ct_tensor _Nonnull a, int64_t dim);
ct_tensor _Nullable ct_cat(const ct_tensor _Nonnull *_Nonnull tensors, size_t count, int64_t dim);
ct_tensor _Nullable ct_stack(const ct_tensor _Nonnull *_Nonnull tensors, size_t count, int64_t dim);

// MARK: Network operations
ct_tensor _Nullable ct_conv2d(ct_tensor _Nonnull input, ct_tensor _Nonnull weight, ct_tensor _Nullable bias,
                              const int64_t *_Nonnull stride, const int64_t *_Nonnull padding,
                              const int64_t *_Nonnull dilation, int64_t groups);
ct_tensor _Nullable ct_batch_norm(ct_tensor _Nonnull input, ct_tensor _Nullable weight, ct_tensor _Nullable bias,
                                  ct_tensor _Nullable running_mean, ct_tensor _Nullable running_var, bool training,
                                  double momentum, double epsilon);
/// Batch normalization by the batch's statistics, plus `residual`, through an activation (0 none, 1 ReLU, 2 ReLU6, 3 hard swish, 4 SiLU).
ct_tensor _Nullable ct_fused_norm(ct_tensor _Nonnull input, ct_tensor _Nonnull weight, ct_tensor _Nonnull bias,
                                  ct_tensor _Nullable residual, ct_tensor _Nullable running_mean,
                                  ct_tensor _Nullable running_variance, double momentum, double epsilon, int activation);
ct_tensor _Nullable ct_linear(ct_tensor _Nonnull input, ct_tensor _Nonnull weight, ct_tensor _Nullable bias);
ct_tensor _Nullable ct_relu(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_relu_(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_hardtanh(ct_tensor _Nonnull a, double minimum, double maximum);
ct_tensor _Nullable ct_hardtanh_(ct_tensor _Nonnull a, double minimum, double maximum);
ct_tensor _Nullable ct_silu(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_hardswish(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_hardsigmoid(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_leaky_relu(ct_tensor _Nonnull a, double slope);
ct_tensor _Nullable ct_gelu(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_gelu_tanh(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_tanh(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_elu(ct_tensor _Nonnull a, double alpha);
ct_tensor _Nullable ct_celu(ct_tensor _Nonnull a, double alpha);
ct_tensor _Nullable ct_selu(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_softplus(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_softsign(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_prelu(ct_tensor _Nonnull a, ct_tensor _Nonnull slopes);
ct_tensor _Nullable ct_silu_(ct_tensor _Nonnull a);
ct_tensor _Nullable ct_sigmoid(ct_tensor _Nonnull a);
/// Normalization over the last sizes, which are those of `weight`.
ct_tensor _Nullable ct_group_norm(ct_tensor _Nonnull input, int64_t groups, ct_tensor _Nonnull weight,
                                  ct_tensor _Nullable bias, double epsilon);
ct_tensor _Nullable ct_upsample(ct_tensor _Nonnull input, const int64_t *_Nonnull size, bool bilinear);
/// Zeros around the last dimensions, from the last one on: before and behind.
ct_tensor _Nullable ct_reflection_pad(ct_tensor _Nonnull input, const int64_t *_Nonnull pads, int count);
ct_tensor _Nullable ct_pad(ct_tensor _Nonnull input, const int64_t *_Nonnull pads, int count, double value);
ct_tensor _Nullable ct_layer_norm(ct_tensor _Nonnull input, ct_tensor _Nonnull weight, ct_tensor _Nullable bias,
                                  double epsilon);
/// softmax(QKᵀ/√d)·V over the last two axes.
ct_tensor _Nullable ct_attention(ct_tensor _Nonnull query, ct_tensor _Nonnull key, ct_tensor _Nonnull value);
/// One layer of gated recurrent units over a sequence [length, batch, features] from `hidden` [1, batch, hidden]; the outputs of all steps.
ct_tensor _Nullable ct_gru(ct_tensor _Nonnull input, ct_tensor _Nonnull hidden, ct_tensor _Nonnull weight_ih,
                           ct_tensor _Nonnull weight_hh, ct_tensor _Nonnull bias_ih, ct_tensor _Nonnull bias_hh);
ct_tensor _Nullable ct_max_pool2d(ct_tensor _Nonnull a, const int64_t *_Nonnull kernel, const int64_t *_Nonnull stride,
                                  const int64_t *_Nonnull padding, bool ceil_mode);
ct_tensor _Nullable ct_avg_pool2d(ct_tensor _Nonnull a, const int64_t *_Nonnull kernel, const int64_t *_Nonnull stride,
                                  const int64_t *_Nonnull padding, bool ceil_mode, bool count_include_pad);
ct_tensor _Nullable ct_adaptive_avg_pool2d(ct_tensor _Nonnull a, int64_t height, int64_t width);
/// Keeps each element (or, with `per_sample`, each sample) with probability 1 - p and divides by it.
/// Of a batch of `whole` samples of which `a` holds those from `first` on: what is drawn does not depend on who holds which.
ct_tensor _Nullable ct_dropout(ct_tensor _Nonnull a, double p, bool per_sample, int64_t first, int64_t whole,
                               ct_generator _Nonnull generator);
ct_tensor _Nullable ct_softmax(ct_tensor _Nonnull a, int64_t dim);
ct_tensor _Nullable ct_log_softmax(ct_tensor _Nonnull a, int64_t dim);
/// Mean cross-entropy; `target` holds class indices, or probabilities when it is of a floating type.
ct_tensor _Nullable ct_cross_entropy(ct_tensor _Nonnull logits, ct_tensor _Nonnull target, double label_smoothing,
                                     bool sum);
/// Mean over the batch of KL(target ‖ softmax(logits)); `target` holds probabilities.
ct_tensor _Nullable ct_kl_divergence(ct_tensor _Nonnull logits, ct_tensor _Nonnull target);
ct_tensor _Nullable ct_resize_bilinear(ct_tensor _Nonnull a, int64_t height, int64_t width, bool antialias);
/// Resizes images [count, height, width, channels] of bytes, bilinear with antialiasing, from and to the caller's memory.
int ct_resize_bytes(const uint8_t *_Nonnull input, int64_t count, int64_t height, int64_t width, int64_t channels,
                    int64_t new_height, int64_t new_width, uint8_t *_Nonnull output);

// MARK: Random numbers
ct_generator _Nullable ct_generator_new(int device_type, int device_index, uint64_t seed);
void ct_generator_free(ct_generator _Nullable g);
int ct_generator_seed(ct_generator _Nonnull g, uint64_t seed);
/// A number from the beta distribution, by a generator of the CPU.
int ct_beta(double a, double b, ct_generator _Nonnull g, double *_Nonnull out);
int ct_normal_(ct_tensor _Nonnull t, double mean, double deviation, ct_generator _Nonnull g);
int ct_uniform_(ct_tensor _Nonnull t, double low, double high, ct_generator _Nonnull g);

// MARK: Optimizer steps over many parameters in one call
// Scales all gradients by one factor so that their norm, taken as one vector, is at most `max_norm`, as torch.nn.utils.clip_grad_norm_.
// `scale` is what a scaler multiplied the loss by. Nothing is read from the device.
int ct_clip_gradients(const ct_tensor _Nonnull *_Nonnull parameters, size_t count, double max_norm, ct_tensor _Nullable scale);
// `parameters[i]` without a gradient is left as it is. `weight_decays` holds one value a parameter.
int ct_sgd_step(const ct_tensor _Nonnull *_Nonnull parameters, const ct_tensor _Nonnull *_Nonnull momenta,
                const double *_Nonnull weight_decays, size_t count, double learning_rate, double momentum,
                bool nesterov, ct_tensor _Nullable scale, ct_tensor _Nullable found_infinite);
int ct_adam_step(const ct_tensor _Nonnull *_Nonnull parameters, const ct_tensor _Nonnull *_Nonnull first_moments,
                 const ct_tensor _Nonnull *_Nonnull second_moments, const ct_tensor _Nonnull *_Nonnull steps,
                 const double *_Nonnull weight_decays, size_t count, double learning_rate, double beta1, double beta2,
                 double epsilon, bool decoupled, ct_tensor _Nullable scale, ct_tensor _Nullable found_infinite);
/// averages[i] += (1 - decay) * (values[i] - averages[i])
int ct_average_step(const ct_tensor _Nonnull *_Nonnull averages, const ct_tensor _Nonnull *_Nonnull values,
                    size_t count, double decay);
/// Sets `found_infinite` (float, one element) to 1 when any gradient is not finite.
int ct_check_gradients(const ct_tensor _Nonnull *_Nonnull parameters, size_t count, ct_tensor _Nonnull scale,
                       ct_tensor _Nonnull found_infinite);
int ct_update_scale(ct_tensor _Nonnull scale, ct_tensor _Nonnull growth_tracker, ct_tensor _Nonnull found_infinite,
                    double growth, double backoff, int64_t interval);

// MARK: Activations that are computed again instead of kept
/// Computes a part of a network. The inputs are the callee's to free. NULL after a failure whose message is set. `again`: for the
/// derivative, with a graph; the first time there is none.
typedef ct_tensor _Nullable (*ct_part)(void *_Nonnull context, const ct_tensor _Nonnull *_Nonnull inputs, size_t count, bool again);
/// What `part` gives for `inputs`, of which nothing in between is kept: the derivative computes the part once more.
///
/// `leaves` are the other tensors whose derivatives are wanted. `generator` is what the part draws from: it draws the same again.
/// `release` is called when the part is needed no more, also after a failure.
ct_tensor _Nullable ct_recomputed(const ct_tensor _Nonnull *_Nonnull inputs, size_t input_count,
                                  const ct_tensor _Nonnull *_Nonnull leaves, size_t leaf_count, ct_generator _Nullable generator,
                                  ct_part _Nonnull part, void *_Nonnull context, void (*_Nonnull release)(void *_Nonnull context));
/// Another handle of the same tensor.
ct_tensor _Nullable ct_same_tensor(ct_tensor _Nonnull tensor);
/// Sets the message of a failure outside of this library.
void ct_set_error(const char *_Nonnull message);

// MARK: Times of operations
/// Measures the operations that this thread calls from now on.
int ct_profile_begin(void);
/// One operation: its name, seconds without those of operations that it called, bytes of arguments and results, number of calls.
typedef void (*ct_profile_visit)(void *_Nonnull context, const char *_Nonnull name, double seconds, double bytes, int64_t calls);
/// Ends it and tells what was measured, by name.
int ct_profile_end(ct_profile_visit _Nonnull visit, void *_Nonnull context);

// MARK: Several processes
/// Whether this was compiled with what is needed for several processes.
bool ct_group_available(void);
/// Waits for all processes of a group; `serves` opens the store at the address, else another process has.
ct_group _Nullable ct_group_join(const char *_Nonnull host, int port, bool serves, int rank, int size, double timeout,
                                 const char *_Nonnull prefix);
void ct_group_leave(ct_group _Nonnull group);
/// Each tensor becomes the sum of those of all processes, the same bits everywhere.
int ct_group_sum(ct_group _Nonnull group, const ct_tensor _Nonnull *_Nonnull tensors, size_t count);
/// Begins to replace a tensor by the sum of those of all processes; `ct_pending_sum_wait` ends it and frees the handle.
ct_pending_sum _Nullable ct_group_begin_sum(ct_group _Nonnull group, ct_tensor _Nonnull tensor);
int ct_pending_sum_wait(ct_pending_sum _Nonnull sum);
int ct_group_average_gradients(ct_group _Nonnull group, const ct_tensor _Nonnull *_Nonnull parameters, size_t count);
int ct_group_broadcast(ct_group _Nonnull group, const ct_tensor _Nonnull *_Nonnull tensors, size_t count, int root);
/// Averages the gradients of the parameters in each backward pass between `ct_reducer_prepare` and `ct_reducer_finish`; those of the first
/// pass when it is over, and it decides which parameters have gradients.
ct_reducer _Nullable ct_reducer_new(ct_group _Nonnull group, const ct_tensor _Nonnull *_Nonnull parameters,
                                    size_t count);
int ct_reducer_prepare(ct_reducer _Nonnull reducer);
int ct_reducer_finish(ct_reducer _Nonnull reducer);
/// Means over the passes so far, in seconds: computing gradients, from the first bucket's leaving to the last one's arrival, and how much of
/// that gradients were still computed. False before the third pass.
bool ct_reducer_times(ct_reducer _Nonnull reducer, double *_Nonnull seconds);
void ct_reducer_free(ct_reducer _Nonnull reducer);
/// Batch normalization by the statistics of all processes' samples.
ct_tensor _Nullable ct_synchronized_norm(ct_tensor _Nonnull x, ct_tensor _Nonnull gamma, ct_tensor _Nonnull beta,
                                         ct_tensor _Nullable running_mean, ct_tensor _Nullable running_variance,
                                         double momentum, double epsilon, ct_group _Nonnull group);

#ifdef __cplusplus
}
#endif
#endif
