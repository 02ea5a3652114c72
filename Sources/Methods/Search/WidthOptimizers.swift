import Support

/// The search methods by name.
public enum WidthOptimizers {
  private static let all: [any WidthOptimizer.Type] = [
    DMCP.self, AutoSlim.self, MorphNet.self, NetworkSlimming.self, UniformWidths.self, RandomWidths.self,
  ]

  /// The names, searches before controls.
  public static var names: [String] { all.map { $0.name } }

  /// The method of that name, with some settings replaced: name → value, as the command line gives them.
  ///
  /// - Throws: `UsageFailure` for an unknown method or setting.
  public static func named(_ name: String, settings: [String: String] = [:]) throws -> any WidthOptimizer {
    guard let type = all.first(where: { $0.name == name }) else {
      throw UsageFailure(
        "`algorithm` \(name): did you mean \(nearestNames(to: name, in: names, count: 1).first ?? "")? Known are "
          + names.joined(separator: ", "))
    }
    return try make(type, settings)
  }

  /// The names of the settings of a method.
  public static func settingNames(of name: String) -> [String] {
    func names<Optimizer: WidthOptimizer>(_ type: Optimizer.Type) -> [String] { Optimizer.Settings.names }
    return all.first { $0.name == name }.map { names($0) } ?? []
  }

  /// The settings of a method with their defaults, as ``SearchSettings/described``.
  public static func settings(of name: String) -> [String] {
    func settings<Optimizer: WidthOptimizer>(_ type: Optimizer.Type) -> [String] { Optimizer.Settings.described }
    return all.first { $0.name == name }.map { settings($0) } ?? []
  }

  private static func make<Optimizer: WidthOptimizer>(
    _ type: Optimizer.Type, _ settings: [String: String]
  ) throws -> any WidthOptimizer {
    Optimizer(try Optimizer.Settings().with(settings))
  }
}
