import Diagnosis
import Methods
import Networks
import Records

/// What the outcome of a training depends on.
///
/// The number of threads is not among it, although sums are split by threads: it is the machine's, and `run.yaml` has it.
public struct TrainingIdentity: JobIdentity, Hashable {
  /// The network, every layer of it.
  public var network: Network
  /// How it is trained.
  public var recipe: Recipe
  /// The seed of everything random.
  public var seed: Int
  /// The data set's name.
  public var dataset: String
  /// The names of its classes in their order; of more than a thousand, how many there are.
  public var classes: [String]
  /// What tells the data from others of the same name: ``ImageFiles/Dataset/fingerprint``.
  public var data: String
  /// Its training images.
  public var images: Int
  /// The part of them that is used.
  public var dataFraction: Double
  /// The kind of device.
  public var device: String
  /// The bounds of changes of width between epochs; nil when there are none.
  public var adaptation: AdaptationRules?

  /// `train`.
  public static let kind = "train"
  /// The network and the data are always written.
  public static let essential: Set = ["network", "dataset", "classes", "data", "images"]
  /// The default recipe on all of the data, on the CPU. No seed is usual: folders are told apart by it.
  public static let usual = TrainingIdentity(
    network: Network(name: "", input: Shape(channels: 1, height: 1, width: 1), layers: []), recipe: Recipe(),
    seed: .min, dataset: "", classes: [], data: "",
    images: 0, dataFraction: 1, device: "cpu")
}
