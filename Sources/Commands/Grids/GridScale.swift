/// How large a grid's network, data and training are.
package enum GridScale: String, CaseIterable {
  /// Minutes on two cores, on Fashion-MNIST: whether everything runs, and no evidence.
  case smoke
  /// CIFAR-10, for one GPU, or many hours of two cores.
  case cifar
  /// The paper's own, on a folder of ImageNet that `--dataset` names.
  case imagenet
}
