// swift-tools-version: 6.1
import PackageDescription

// LibTorch is found by pkg-config (`libtorch.pc`, written by scripts/bootstrap), so that no target needs unsafe flags and
// other packages can depend on this one.
//
// Every import of a target is among its dependencies: scripts/test builds with --explicit-target-dependency-import-check.

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

// Answers in milliseconds and links no LibTorch.
let pure: [Target] = [
  .target(name: "Support"),
  .target(name: "Networks", dependencies: ["Support"]),
  .target(name: "Transfer", dependencies: ["Networks", "Support"]),
  .target(name: "Diagnosis", dependencies: ["Networks", "Support"]),
  .target(name: "CJPEG", dependencies: ["CLibJPEG"]),
  .target(
    name: "ImageFiles", dependencies: ["Support", "CJPEG", "CSPNG", "CZlib", "CArchive", "CCurl", "CCrypto"]),
  .target(name: "Methods", dependencies: ["ImageFiles", "Networks", "Support"]),
  .target(name: "Records", dependencies: ["Diagnosis", "Interchange", "Networks", "Support", "Transfer", yams]),
  .target(name: "Interchange", dependencies: ["Support", "CArchive"]),
  .target(
    name: "ONNX", dependencies: ["Interchange", "Networks", "Support", protobuf], exclude: ["Protobuf/onnx.proto"]),
  .target(
    name: "Reporting", dependencies: ["Diagnosis", "Networks", "Records", "Support", "Transfer", mustache, protobuf],
    exclude: ["Protobuf/tensorboard.proto"]),
  .target(
    name: "Commands",
    dependencies: [
      "CLibTorchHeaders", "Diagnosis", "ImageFiles", "Networks", "Methods", "ONNX", "Records", "Reporting",
      "Support", "Transfer", argumentParser,
    ]),
]

// Works with tensors.
let tensors: [Target] = [
  // Some of LibTorch's classes have a member more without NDEBUG; its libraries are built with it.
  .target(name: "CTorch", dependencies: ["CLibTorch"], cxxSettings: [.define("NDEBUG")]),
  .target(name: "Torch", dependencies: ["CTorch", "Support"]),
  .target(name: "Loading", dependencies: ["ImageFiles", "Support", "Torch"]),
  .target(
    name: "Training",
    dependencies: [
      "Diagnosis", "ImageFiles", "Interchange", "Loading", "Networks", "Methods", "Records", "Support", "Torch",
    ]),
  .target(
    name: "WidthSearch",
    dependencies: ["ImageFiles", "Loading", "Networks", "Methods", "Records", "Support", "Torch", "Training"]),
  .target(
    name: "Merging", dependencies: ["Diagnosis", "Networks", "Support", "Torch", "Training"]),
  .target(
    name: "StudyModels",
    dependencies: ["Diagnosis", "ImageFiles", "Loading", "Records", "Support", "Torch", "Training"]),
  .target(
    name: "Experiments",
    dependencies: [
      "Diagnosis", "ImageFiles", "Interchange", "Merging", "Networks", "Methods", "ONNX", "Records", "Support",
      "Torch", "Training", "Transfer", "WidthSearch",
    ]),
  // Everything under one name, and the documentation.
  .target(
    name: "WidthTransfer",
    dependencies: [
      "Diagnosis", "Experiments", "StudyModels", "ImageFiles", "Interchange", "Loading", "Merging", "Networks",
      "Methods", "ONNX", "Records",
      "Reporting", "Support", "Torch", "Training", "Transfer", "WidthSearch",
    ]),
]

let executables: [Target] = [
  .executableTarget(name: "width-transfer", dependencies: ["Commands"]),
  .executableTarget(
    name: "width-transfer-engine",
    dependencies: [
      "Commands", "Diagnosis", "Experiments", "StudyModels", "ImageFiles", "Interchange", "Loading",
      "Merging", "Networks", "Methods", "ONNX",
      "Records", "Reporting", "Support", "Torch", "Training", "Transfer", "WidthSearch", argumentParser,
    ]),
  // For the scripts of this checkout.
  .executableTarget(
    name: "width-transfer-bench",
    dependencies: [
      "Commands", "ImageFiles", "Interchange", "Loading", "Networks", "Methods", "Records", "Support", "Torch",
      "Training",
      "WidthSearch", argumentParser,
    ]),
  .executableTarget(
    name: "fuzz-readers",
    dependencies: [
      "CZlib", "ImageFiles", "Interchange", "Loading", "Methods", "Networks", "ONNX", "Records", "Reporting", "Support",
      "Torch", "Training", argumentParser,
    ]),
]

let tests: [Target] = [
  .testTarget(name: "SupportTests", dependencies: ["Support"]),
  .testTarget(name: "NetworksTests", dependencies: ["Networks", "Support"]),
  .testTarget(name: "DiagnosisTests", dependencies: ["Diagnosis", "Networks", "Support"]),
  .testTarget(name: "TransferTests", dependencies: ["Networks", "Support", "Transfer"]),
  .testTarget(
    name: "RecordsTests", dependencies: ["Networks", "Records", "Support", "Transfer"]),
  .testTarget(name: "ONNXTests", dependencies: ["Interchange", "Networks", "ONNX", "Support", protobuf]),
  .testTarget(name: "InterchangeTests", dependencies: ["Interchange", "Support"]),
  .testTarget(
    name: "ReportingTests", dependencies: ["Diagnosis", "Networks", "Records", "Reporting", "Support", "Transfer"]),
  // Several members of a process group on threads of one process.
  .target(name: "ProcessGroups", dependencies: ["Support", "Torch"], path: "Tests/ProcessGroups"),
  .testTarget(name: "TorchTests", dependencies: ["ProcessGroups", "Support", "Torch"]),
  .testTarget(
    name: "LoadingTests",
    dependencies: ["CArchive", "CJPEG", "CSPNG", "CZlib", "ImageFiles", "Loading", "Support", "Torch"],
    exclude: ["Fixtures"]),
  .testTarget(
    name: "TrainingTests",
    dependencies: [
      "Diagnosis", "ImageFiles", "Interchange", "Loading", "Merging", "Networks", "Methods", "ProcessGroups", "Records",
      "Support", "Torch", "Training",
    ]),
  .testTarget(
    name: "StudyModelsTests", dependencies: ["Diagnosis", "StudyModels", "Records", "Support", "Torch"]),
  .testTarget(
    name: "MergingTests",
    dependencies: ["Diagnosis", "Interchange", "Merging", "Networks", "Support", "Torch", "Training"]),
  .testTarget(
    name: "WidthSearchTests",
    dependencies: [
      "ImageFiles", "Loading", "Networks", "Methods", "ProcessGroups", "Records", "Support", "Torch", "Training",
      "WidthSearch",
    ], resources: [.copy("Fixtures")]),
  .testTarget(
    name: "ExperimentsTests",
    dependencies: [
      "Experiments", "ImageFiles", "Methods", "Networks", "Records", "StudyModels", "Support", "Transfer",
      "WidthSearch",
    ]),
  .testTarget(
    name: "FuzzReadersTests", dependencies: ["ImageFiles", "Support", "fuzz-readers"],
    resources: [.copy("Fixtures")]),
  .testTarget(name: "DocumentTests", dependencies: ["Networks", "Support", "WidthTransfer"]),
  .testTarget(
    name: "CommandLineTests",
    dependencies: [
      "CZlib", "Commands", "Methods", "Networks", "ProcessGroups", "Torch", "Transfer", "width-transfer",
      "width-transfer-engine", "width-transfer-bench",
      argumentParser,
    ]),
]

let systemLibraries: [Target] = [
  .systemLibrary(name: "CLibTorch", pkgConfig: "libtorch"),
  .systemLibrary(name: "CLibTorchHeaders", pkgConfig: "libtorch-headers"),
  .systemLibrary(name: "CLibJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
  .systemLibrary(name: "CSPNG", pkgConfig: "spng", providers: [.apt(["libspng-dev"])]),
  .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
  .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
  .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
  .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
]

let package = Package(
  name: "width-transfer",
  products: [
    .executable(name: "width-transfer", targets: ["width-transfer"]),
    .executable(name: "width-transfer-engine", targets: ["width-transfer-engine"]),
    .library(name: "WidthTransfer", targets: ["WidthTransfer"]),
  ]
    + [
      "Networks", "Transfer", "Diagnosis", "Methods", "Records", "Reporting", "ImageFiles", "Interchange", "ONNX",
      "Torch",
      "Loading",
      "Training", "WidthSearch", "Merging", "StudyModels", "Experiments",
    ].map { .library(name: $0, targets: [$0]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: systemLibraries + pure + tensors + executables + tests,
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)

// What a file uses it imports, members of extensions included.
for target in package.targets where target.type != .system && target.name != "CTorch" && target.name != "CJPEG" {
  target.swiftSettings = [.enableUpcomingFeature("MemberImportVisibility")]
}
