import Support
import Testing

@Suite struct LaunchedProcessTests {
  static let torchrun = [
    "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "node7",
    "MASTER_PORT": "29513", "TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": "2",
  ]

  @Test func torchrunSaysWhereAProcessBelongs() throws {
    let place = try #require(try LaunchedProcess(environment: Self.torchrun))
    #expect(
      place
        == LaunchedProcess(
          rank: 3, worldSize: 4, localRank: 1, localWorldSize: 2, address: "node7", port: 29_513, opensStore: false,
          attempt: 2))
  }

  @Test(
    "Slurm's tasks on this machine are those of the step",
    arguments: [
      ("2(x2),1", "0", 2), ("2(x2),1", "1", 2), ("2(x2),1", "2", 1), ("5", "0", 5), ("9", "0", 5), ("", "0", 1),
      ("2(x2),1", "7", 1), ("(x", "0", 1), ("99999999999999999999(x2)", "0", 1),
    ])
  func slurm(tasks: String, machine: String, expected: Int) throws {
    let environment = [
      "SLURM_PROCID": "4", "SLURM_NTASKS": "5", "SLURM_LOCALID": "0", "SLURM_STEP_TASKS_PER_NODE": tasks,
      "SLURM_NODEID": machine, "SLURM_NTASKS_PER_NODE": "1", "MASTER_ADDR": "a",
    ]
    #expect(try LaunchedProcess(environment: environment)?.localWorldSize == expected)
    // What sbatch has asked for may be more than a step of it has.
    let more = environment.merging(["SLURM_STEP_TASKS_PER_NODE": "x", "SLURM_NTASKS_PER_NODE": "8"]) { $1 }
    #expect(try LaunchedProcess(environment: more)?.localWorldSize == 5)
  }

  @Test("A launch has one name in all its attempts")
  func launch() throws {
    var environment = Self.torchrun
    let first = try #require(try LaunchedProcess(environment: environment)).launch
    environment["TORCHELASTIC_RESTART_COUNT"] = "3"
    #expect(try LaunchedProcess(environment: environment)?.launch == first)
    environment["TORCHELASTIC_RUN_ID"] = "none"
    #expect(try LaunchedProcess(environment: environment)?.launch == first)
    environment["TORCHELASTIC_RUN_ID"] = "job-7"
    #expect(try LaunchedProcess(environment: environment)?.launch == "run job-7")
  }

  @Test("Rank 0 opens the store, unless the launcher has, which says so by Python's True alone")
  func store() throws {
    var environment = Self.torchrun
    environment["RANK"] = "0"
    #expect(try LaunchedProcess(environment: environment)?.opensStore == false)
    for word in ["true", "1", "False"] {
      environment["TORCHELASTIC_USE_AGENT_STORE"] = word
      #expect(try LaunchedProcess(environment: environment)?.opensStore == true)
    }
  }

  @Test(
    "Slurm's and MPI's numbers stand for torchrun's, beside an address",
    arguments: [
      ["SLURM_PROCID": "1", "SLURM_NTASKS": "3", "SLURM_LOCALID": "0"],
      ["OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_LOCAL_RANK": "0"],
      ["PMI_RANK": "1", "PMI_SIZE": "3", "MPI_LOCALRANKID": "0"],
    ])
  func others(environment: [String: String]) throws {
    // A job array or a shell under Slurm is not meant to meet its neighbours.
    #expect(try LaunchedProcess(environment: environment) == nil)
    let place = try #require(
      try LaunchedProcess(environment: environment.merging(["MASTER_ADDR": "10.0.0.1"]) { $1 }))
    #expect(place.rank == 1 && place.worldSize == 3 && place.localRank == 0 && place.port == 29_500)
    #expect(!place.opensStore)
  }

  @Test func aProcessAloneNeedsNoLauncher() throws {
    #expect(try LaunchedProcess(environment: [:]) == nil)
    #expect(try LaunchedProcess(environment: ["RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "a"]) == nil)
    #expect(try LaunchedProcess(environment: ["MASTER_ADDR": "a", "RANK": "4"]) == nil)
  }

  @Test(
    "A variable that is missing or makes no sense is named",
    arguments: [
      ("RANK", nil), ("RANK", "4"), ("RANK", "-1"), ("RANK", "one"), ("WORLD_SIZE", "many"), ("MASTER_ADDR", nil),
      ("MASTER_ADDR", ""), ("MASTER_PORT", "70000"), ("LOCAL_RANK", "x"),
    ])
  func mistakes(name: String, value: String?) throws {
    var environment = Self.torchrun
    environment[name] = value
    let failure = #expect(throws: UsageFailure.self) { try LaunchedProcess(environment: environment) }
    #expect(failure?.message.contains(name) == true)
    if let value, !value.isEmpty { #expect(failure?.message.contains(value) == true) }
  }
}
