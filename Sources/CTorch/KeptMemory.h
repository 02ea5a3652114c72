#pragma once

namespace ctorch {

/// Makes tensors on the CPU take their memory from what earlier ones have left.
void keep_memory();

}  // namespace ctorch
