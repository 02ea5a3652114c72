import Foundation

/// This process's place among those that a launcher has started together: `torchrun`, or `srun` and `mpirun` with `MASTER_ADDR`.
///
/// The variables are those of `torch.distributed`. Where `RANK` is not set, Slurm's, Open MPI's and the PMI's numbers stand for it, but
/// only beside `MASTER_ADDR`: without an address, processes that were started side by side are not meant to know each other.
public struct LaunchedProcess: Sendable, Hashable {
  /// This process's number among all, from 0.
  public var rank: Int
  /// How many there are; 2 or more.
  public var worldSize: Int
  /// Its number on its machine.
  public var localRank: Int
  /// How many there are on its machine.
  public var localWorldSize: Int
  /// The machine where all find each other.
  public var address: String
  /// The port there.
  public var port: Int
  /// Whether this process opens the store there: rank 0, unless the launcher has opened it.
  public var opensStore: Bool
  /// How often the launcher has started all of them again; their meeting place depends on it.
  public var attempt: Int

  /// What the launch is called: the same for all its attempts, and for no other launch.
  public var launch: String

  /// This process's place; nil where it works alone.
  public static var current: LaunchedProcess? {
    get throws { try LaunchedProcess(environment: ProcessInfo.processInfo.environment) }
  }

  /// Whether this process speaks for all: it is the first one, or alone.
  public static let isFirst = ((try? current)?.rank ?? 0) == 0

  /// Describes a place.
  public init(
    rank: Int, worldSize: Int, localRank: Int? = nil, localWorldSize: Int? = nil, address: String, port: Int = 29_500,
    opensStore: Bool? = nil, attempt: Int = 0
  ) {
    self.rank = rank
    self.worldSize = worldSize
    self.localRank = localRank ?? rank
    self.localWorldSize = localWorldSize ?? worldSize
    self.address = address
    self.port = port
    self.opensStore = opensStore ?? (rank == 0)
    self.attempt = attempt
    launch = Self.parent
  }

  /// Reads a launcher's variables; nil for a process that works alone.
  ///
  /// - Throws: ``UsageFailure`` that names a variable which is missing or no sensible number.
  public init?(environment: [String: String]) throws {
    let families = [
      ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
      ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", ""),
      ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"),
      ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
    ]
    guard
      let names = families.first(where: { family in
        environment[family.1] != nil && (family.0 == "RANK" || environment["MASTER_ADDR"] != nil)
      })
    else { return nil }
    func number(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
      guard let text = environment[name] else { return nil }
      guard let value = Int(text), range.contains(value) else {
        throw UsageFailure(
          "the launcher's variable \(name) is \(text); it must be a number from \(range.lowerBound) to \(range.upperBound)"
        )
      }
      return value
    }
    func needed(_ name: String) -> UsageFailure {
      UsageFailure(
        "\(names.1) says that this process was started with others, but \(name) is not set; start it by "
          + "`torchrun --no-python`, set the variables of torch.distributed, or unset \(names.1)")
    }
    guard let worldSize = try number(names.1, 1...1_000_000), worldSize > 1 else { return nil }
    guard let rank = try number(names.0, 0...worldSize - 1) else { throw needed(names.0) }
    guard let address = environment["MASTER_ADDR"], !address.isEmpty else { throw needed("MASTER_ADDR") }
    self.init(
      rank: rank, worldSize: worldSize, localRank: try number(names.2, 0...worldSize - 1),
      localWorldSize: names.3.isEmpty
        ? Self.slurmTasks(environment).map { min(max(1, $0), worldSize) } : try number(names.3, 1...worldSize),
      address: address,
      port: try number("MASTER_PORT", 1...65_535) ?? 29_500,
      // Python's `True`, to the letter, as PyTorch reads it.
      opensStore: rank == 0 && environment["TORCHELASTIC_USE_AGENT_STORE"] != "True",
      attempt: try number("TORCHELASTIC_RESTART_COUNT", 0...Int.max) ?? 0)
    if let name = environment["TORCHELASTIC_RUN_ID"], !name.isEmpty, name != "none" { launch = "run \(name)" }
  }

  /// The tasks of a step of Slurm's on this machine: of `4(x2),3` the first two machines have 4 each, the third 3. Which of them this is
  /// says another variable. What `--ntasks-per-node` has asked for may be another number.
  private static func slurmTasks(_ environment: [String: String]) -> Int? {
    let asked = environment["SLURM_NTASKS_PER_NODE"].flatMap { Int($0) }
    guard let text = environment["SLURM_STEP_TASKS_PER_NODE"] ?? environment["SLURM_TASKS_PER_NODE"] else {
      return asked
    }
    guard let machine = Int(environment["SLURM_NODEID"] ?? "0"), machine >= 0 else { return asked }
    var first = 0
    for part in text.split(separator: ",") {
      let numbers = part.split { !$0.isNumber }.map { Int($0) }
      guard let tasks = numbers.first ?? nil, let machines = numbers.count > 1 ? numbers[1] : 1, machines < 1 << 30
      else {
        return asked
      }
      if machine < first + machines { return tasks }
      first += machines
    }
    return asked
  }

  /// The process that has started this one, so that nothing else is taken for it later: its number and when it began.
  private static var parent: String {
    let number = getppid()
    let status = (try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8)) ?? ""
    // Behind the name in parentheses, which may hold anything: the 20th field is the time of its start.
    let fields = status[(status.lastIndex(of: ")") ?? status.startIndex)...].split(separator: " ")
    return "process \(number) of \(fields.count > 20 ? fields[20] : "?")"
  }
}
