/// Flags that people know from other programs that train networks, and what they are called here.
enum FamiliarFlags {
  private static let names: [String: String] = [
    "--lr": "--learning-rate", "--learning_rate": "--learning-rate", "--workers": "--loader-threads",
    "--num-workers": "--loader-threads", "-j": "--loader-threads", "-b": "--batch-size", "--batch": "--batch-size",
    "--bs": "--batch-size", "--wd": "--weight-decay", "--data": "--dataset", "--data-path": "--dataset",
    "--data-dir": "--dataset", "--model": "--network", "--arch": "--network", "-a": "--network",
    "--imgsz": "--resolution",
    "--img-size": "--resolution", "--image-size": "--resolution", "--input-size": "--resolution",
    "--num-classes": "--classes",
    "--opt": "--optimizer", "--clip-grad": "--clip-norm", "--clip-grad-norm": "--clip-norm",
    "--grad-clip": "--clip-norm",
    "--ema-decay": "--averaging-decay", "--smoothing": "--label-smoothing",
    "--amp":
      "--precision float16 or bfloat16", "--gpu": "--device cuda", "--output-dir": "--output", "--out": "--output",
    "-o": "--output",
    "--checkpoint": "--weights",
  ]

  /// What a flag is called here; nil where nothing is known of it.
  static func hint(of flag: String) -> String? {
    if flag == "--resume" { return "Here a run goes on when the same command is given again." }
    return names[flag].map { "Here \(flag) is called \($0)." }
  }
}
