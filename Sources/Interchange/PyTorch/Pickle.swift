/// A value of a pickle, as far as a file of weights is made of them. Nothing is looked up, called or run.
///
/// Collections stand in the reader's tables and are named by their place there, so that neither a nest of a million lists nor one that
/// holds itself can take the stack or never be freed.
enum Pickle {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case text(String)
  /// A list, a tuple or a set.
  case items(Int)
  case dictionary(Int)
  /// A name of Python's, such as `torch.FloatStorage`.
  case global(String)
  case storage(Storage)
  case tensor(TensorView)
  /// What a call or a class gives that is none of the above.
  case opaque(String)

  /// Where a tensor's elements lie, before they are read.
  struct Storage: Hashable {
    var key: String
    /// `torch.FloatStorage` and the like.
    var type: String
    var elements: Int
  }

  /// A view of a storage.
  struct TensorView {
    var storage: Storage
    var offset: Int
    var shape: [Int]
    var strides: [Int]
  }
}

/// What is wrong with a pickle, and at which byte.
struct PickleError: Error {
  var offset: Int
  var reason: String
}
