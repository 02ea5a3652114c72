// swift-tools-version: 6.1
import PackageDescription

// LibTorch is found by pkg-config (`libtorch.pc`, written by scripts/bootstrap), so that no target needs unsafe flags and
// other packages can depend on this one.
let package = Package(
  name: "width-transfer",
  products: [
    .executable(name: "width-transfer", targets: ["width-transfer"]),
    .library(name: "Torch", targets: ["Torch"]),
    .library(name: "Networks", targets: ["Networks"]),
    .library(
      name: "WidthTransfer",
      targets: [
        "Support", "Runs", "Networks", "Interchange", "Torch", "Datasets", "Training", "WidthSearch", "WidthTransfer",
        "Reporting",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CLibTorch", pkgConfig: "libtorch"),
    .systemLibrary(
      name: "CLibJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
    .systemLibrary(
      name: "CSPNG", pkgConfig: "spng", providers: [.apt(["libspng-dev"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(
      name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(name: "CTorch", dependencies: ["CLibTorch"]),
    .target(name: "CJPEG", dependencies: ["CLibJPEG"]),
    .target(name: "Support"),
    .target(name: "Torch", dependencies: ["CTorch", "Support"]),
    .target(name: "Networks", dependencies: ["Support"]),
    .target(name: "Runs", dependencies: ["Support", .product(name: "Yams", package: "Yams")]),
    .target(name: "Interchange", dependencies: ["Support"]),
    .target(
      name: "Datasets", dependencies: ["Support", "Torch", "CJPEG", "CSPNG", "CZlib", "CArchive", "CCurl", "CCrypto"]),
    .target(name: "Training", dependencies: ["Support", "Runs", "Networks", "Datasets", "Torch", "Interchange"]),
    .target(name: "WidthSearch", dependencies: ["Training"]),
    .target(name: "WidthTransfer", dependencies: ["WidthSearch", "Training", "Runs", "Networks"]),
    .target(
      name: "Reporting",
      dependencies: [
        "Support", "Runs", .product(name: "Yams", package: "Yams"),
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["Protobuf/tensorboard.proto"]),
    .executableTarget(
      name: "width-transfer",
      dependencies: [
        "Reporting", "Interchange", "WidthTransfer", .product(name: "Yams", package: "Yams"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "fuzz-readers",
      dependencies: [
        "Datasets", "Interchange", "Support", "Torch", "CZlib",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(name: "SupportTests", dependencies: ["Support"]),
    .testTarget(name: "TorchTests", dependencies: ["Torch"]),
    .testTarget(name: "NetworksTests", dependencies: ["Networks"]),
    .testTarget(name: "RunsTests", dependencies: ["Runs"]),
    .testTarget(name: "InterchangeTests", dependencies: ["Interchange"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "CArchive", "CJPEG"], exclude: ["Fixtures"]),
    .testTarget(name: "TrainingTests", dependencies: ["Training"]),
    .testTarget(
      name: "WidthSearchTests", dependencies: ["WidthSearch"], resources: [.copy("Fixtures")]),
    .testTarget(name: "WidthTransferTests", dependencies: ["WidthTransfer"]),
    .testTarget(name: "ReportingTests", dependencies: ["Reporting"]),
    .testTarget(name: "CommandLineTests", dependencies: ["width-transfer", "CZlib"]),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
