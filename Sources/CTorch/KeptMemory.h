#pragma once

namespace ctorch {

/// Makes tensors on the CPU take their memory from what earlier ones have left.
void keep_memory();

/// Whether tensors on the CPU take their memory from here, kept or not.
bool owns_memory();

}  // namespace ctorch
