import Networks

extension ResolvedNetwork {
  /// The groups that feature merging looks at, in the order of a sweep.
  ///
  /// Left out everywhere: groups beside grouped convolutions, whose parts must stay equal, groups that a squeeze-excite bottleneck
  /// takes its width from, and groups whose channels are shuffled or split.
  public func mergeableGroups(_ scope: MergeSettings.Scope) -> [WidthGroup] {
    var sources: Set<WidthGroup.ID> = []
    for layer in layers {
      guard case .produces(_, let rule?) = layer.layer.operation.definition.channels else { continue }
      for segment in self[rule.source]?.outputSegments ?? [] { if let group = segment.group { sources.insert(group) } }
    }
    sources.formUnion(mixedGroups)
    let possible = streamliningOrder.filter { $0.granularity == 1 && !sources.contains($0.id) }
    guard scope == .published, let first = firstPublishedStage else { return possible }
    return possible.filter { ($0.stage ?? -1) >= first }
  }

  // ResNet18, 34 and 50 from the third stage on; ResNet20 and its kin from the second, or from the third when widened.
  private var firstPublishedStage: Int? {
    guard name.hasPrefix("resnet") else { return nil }
    guard network.stages.count == 3 else { return 2 }
    return (self["conv1"]?.output.channels ?? 16) > 16 ? 2 : 1
  }
}
