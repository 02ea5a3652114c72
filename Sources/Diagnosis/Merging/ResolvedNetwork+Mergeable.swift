import Networks

extension ResolvedNetwork {
  /// The groups that feature merging looks at, in the order of a sweep.
  ///
  /// Left out everywhere: groups beside grouped convolutions, whose parts must stay equal, groups that a squeeze-excite bottleneck
  /// takes its width from, groups whose channels are shuffled or split, and groups whose channels do not act by themselves: a layer, group or
  /// response normalization makes each depend on all, as do a convolution along the channels and filters that are standardized.
  public func mergeableGroups(_ scope: MergeSettings.Scope) -> [WidthGroup] {
    var sources: Set<WidthGroup.ID> = []
    for layer in layers {
      guard case .produces(_, let rule?) = layer.layer.operation.definition.channels else { continue }
      for segment in self[rule.source]?.outputSegments ?? [] { if let group = segment.group { sources.insert(group) } }
    }
    for (index, layer) in layers.enumerated() {
      guard case .other(let other) = layer.layer.operation else { continue }
      let segments: [ChannelSegment]
      switch other.definition {
      case is LayerNorm, is GroupNorm, is GlobalResponseNorm, is ChannelConvolution: segments = layer.outputSegments
      case is StandardizedConvolution: segments = inputSegments(of: index)[0]
      default: segments = []
      }
      for segment in segments { if let group = segment.group { sources.insert(group) } }
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
