extension KnownDataset {
  /// What the data set consists of as its authors publish it.
  ///
  /// Sizes and checksums are those of TensorFlow Datasets (`url_checksums/*.txt`); torchvision
  /// (`prototype/datasets/_builtin/mnist.py`) has the same for both MNISTs, and MLDatasets.jl (`src/datasets/vision`) for both
  /// CIFARs. None of these lists Tiny ImageNet: its checksum and size were found alike in several public repositories that had
  /// computed them.
  var files: [RemoteFile] {
    switch self {
    case .fashionMNIST:
      Self.quartet(
        homes: [
          "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
          "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ],
        [
          (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
          (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
          (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
          (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ])
    case .mnist:
      Self.quartet(
        homes: [
          "https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ],
        [
          (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
          (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
          (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
          (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ])
    case .cifar10:
      [
        RemoteFile(
          name: "cifar-10-binary.tar.gz", homes: ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
          bytes: 170_052_171, sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")
      ]
    case .cifar100:
      [
        RemoteFile(
          name: "cifar-100-binary.tar.gz", homes: ["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"],
          bytes: 168_513_733, sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec")
      ]
    case .tinyImageNet:
      [
        RemoteFile(
          name: "tiny-imagenet-200.zip", homes: ["http://cs231n.stanford.edu/tiny-imagenet-200.zip"],
          bytes: 248_100_043, sha256: "6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821")
      ]
    }
  }

  /// The folder that the files are archives of, where they have to be unpacked.
  var unpackedFolder: String? { self == .tinyImageNet ? "tiny-imagenet-200" : nil }

  private static func quartet(homes: [String], _ sums: [(bytes: Int, sha256: String)]) -> [RemoteFile] {
    let names = [
      "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
      "t10k-labels-idx1-ubyte.gz",
    ]
    return zip(names, sums).map { name, sum in
      RemoteFile(name: name, homes: homes.map { $0 + name }, bytes: sum.bytes, sha256: sum.sha256)
    }
  }
}
